import type { Difference } from "../../../runtime/protocol/messages";
import type { ObjectSnapshot } from "../../../runtime/protocol/snapshot";
import { describeDifference, firstDifference, recordsEqual } from "../../../runtime/replication/equality";
import { replicaMetadata, type Seal } from "../../../runtime/replication/provenance";
import type { ObjectHead } from "../../../runtime/stores/object-store";
import { BRIDGE, makeHead, makeSnapshot } from "../support/make-snapshot";

const crc = (value: string) => ({ algorithm: "CRC64NVME" as const, value });
const narrow = (value: string) => ({ algorithm: "CRC32" as const, value });

/** The head of a faithful copy of `of`, with changes. */
function copy(of: ObjectSnapshot, head: Partial<ObjectHead> = {}, tags = of.tags) {
  return { head: makeHead({ metadata: replicaMetadata(of, BRIDGE, "k"), ...head }), tags };
}

test("a faithful copy differs in nothing", () => {
  expect(firstDifference(makeSnapshot(), copy(makeSnapshot()), BRIDGE)).toBeUndefined();
});

test.each<[string, Difference["what"], Partial<ObjectHead>]>([
  ["without a provenance", "owner", { metadata: { author: "someone" } }],
  [
    "written by another bridge",
    "owner",
    { metadata: replicaMetadata(makeSnapshot(), { bridgeId: "other", sourceId: "aws:source" }, "k") },
  ],
  ["another size", "bytes", { sizeBytes: 7 }],
  ["an older version", "bytes", { metadata: replicaMetadata(makeSnapshot({ etag: "e0" }), BRIDGE, "k") }],
  ["a header changed", "headers", { headers: { contentType: "text/html" } }],
  ["a header missing", "headers", { headers: {} }],
  ["a header too many", "headers", { headers: { contentType: "text/plain", cacheControl: "no-store" } }],
  ["metadata changed", "metadata", { metadata: replicaMetadata(makeSnapshot({ metadata: { author: "else" } }), BRIDGE, "k") }],
  ["metadata missing", "metadata", { metadata: replicaMetadata(makeSnapshot({ metadata: {} }), BRIDGE, "k") }],
])("%s: %s", (_what, expected, head) => {
  expect(firstDifference(makeSnapshot(), copy(makeSnapshot(), head), BRIDGE)?.what).toBe(expected);
});

describe("a header that the destination hides", () => {
  const written = makeSnapshot({ headers: { contentType: "text/html", contentDisposition: "inline" }, checksum: crc("x") });
  const hidden: Partial<ObjectHead> = {
    headers: { contentType: "text/html" },
    hiddenHeaders: ["contentDisposition"],
    checksums: [crc("x")],
  };
  const replica = (head: Partial<ObjectHead> = {}) => copy(written, { ...hidden, ...head });

  test("is equal where the replica was written from this state", () => {
    expect(firstDifference(written, replica(), BRIDGE)).toBeUndefined();
  });

  test.each<[string, Partial<ObjectSnapshot>]>([
    ["version", { etag: "e9" }],
    ["write of equal bytes", { lastModified: "2026-11-30T00:00:00.000Z" }],
  ])("differs after another %s of the source, whose value may be another", (_what, change) => {
    const now = { ...written, ...change, headers: { contentType: "text/html", contentDisposition: "attachment" } };
    const difference = firstDifference(now, replica(), BRIDGE);
    expect(difference).toEqual({
      what: "headers",
      name: "content-disposition",
      wanted: "attachment",
      found: "(hidden by the store)",
    });
    // Once it was written from that state, nothing differs any more.
    expect(firstDifference(now, copy(now, hidden), BRIDGE)).toBeUndefined();
  });

  test("does not hide another difference", () => {
    expect(firstDifference(written, replica({ headers: { contentType: "text/plain" } }), BRIDGE)?.name).toBe("content-type");
  });
});

test.each<[string, Record<string, string>]>([
  ["changed", { team: "blue" }],
  ["missing", {}],
  ["too many", { team: "red", extra: "1" }],
])("tags %s", (_what, tags) => {
  expect(firstDifference(makeSnapshot(), copy(makeSnapshot(), {}, tags), BRIDGE)?.what).toBe("tags");
});

describe("bytes", () => {
  const older = replicaMetadata(makeSnapshot({ etag: "e0" }), BRIDGE, "k");

  test.each<[string, Partial<ObjectSnapshot>, Partial<ObjectHead>, Difference["what"] | undefined]>([
    [
      "a wide checksum of both proves another version equal",
      { checksum: crc("x") },
      { checksums: [crc("x")], metadata: older },
      undefined,
    ],
    ["a narrow one does not", { checksum: narrow("x") }, { checksums: [narrow("x")], metadata: older }, "bytes"],
    ["another kind of checksum says nothing", { checksum: crc("x") }, { checksums: [narrow("x")] }, undefined],
    ["nor does one that only the source has", { checksum: crc("x") }, { metadata: older }, "bytes"],
    ["a checksum that differs outweighs the same version", { checksum: crc("x") }, { checksums: [crc("y")] }, "bytes"],
    ["a narrow one that differs, too", { checksum: narrow("x") }, { checksums: [crc("x"), narrow("y")] }, "bytes"],
    ["equal checksums do not outweigh another size", { checksum: crc("x") }, { checksums: [crc("x")], sizeBytes: 7 }, "bytes"],
  ])("%s", (_what, source, head, expected) => {
    expect(firstDifference(makeSnapshot(source), copy(makeSnapshot(source), head), BRIDGE)?.what).toBe(expected);
  });

  test("two writes into a bucket with suspended versioning are two states, though their versionId is the same", () => {
    const first = makeSnapshot({ versionId: "null", etag: "e1" });
    const second = makeSnapshot({ versionId: "null", etag: "e2" });
    expect(firstDifference(second, copy(first), BRIDGE)?.what).toBe("bytes");
    expect(firstDifference(first, copy(first), BRIDGE)).toBeUndefined();
  });

  describe("that another tool replaced, keeping size and metadata", () => {
    const sealed = (seal: Seal) => ({ metadata: replicaMetadata(makeSnapshot(), BRIDGE, "k", seal) });
    const here = narrow("x");

    test.each<[string, Seal, Partial<ObjectHead>, string | undefined, Difference["name"]]>([
      ["the destination's own checksum is the one that was written", here, { checksums: [here] }, undefined, undefined],
      ["it is another", here, { checksums: [narrow("y")] }, undefined, "CRC32"],
      ["the object has another kind now", here, { checksums: [crc("x")] }, undefined, "CRC32"],
      ["the store reports no checksums", here, {}, undefined, undefined],
      ["the etag is the recorded one", "record", { etag: "d1" }, "d1", undefined],
      ["the etag is another", "record", { etag: "d2" }, "d1", "etag"],
      ["no etag was recorded", "record", { etag: "d2" }, undefined, undefined],
    ])("%s", (_what, seal, head, sealedEtag, name) => {
      const state = { ...copy(makeSnapshot(), { ...sealed(seal), ...head }), sealedEtag };
      expect(firstDifference(makeSnapshot(), state, BRIDGE)?.name).toBe(name);
    });
  });

  test("etags of two stores are never compared", () => {
    expect(
      firstDifference(makeSnapshot({ etag: "same" }), copy(makeSnapshot({ etag: "old" }), { etag: "same" }), BRIDGE)?.what,
    ).toBe("bytes");
  });
});

test.each<[Record<string, string | undefined>, Record<string, string | undefined>, boolean]>([
  [{}, {}, true],
  [{ a: "1" }, { a: "1" }, true],
  [{ a: "1", b: undefined }, { a: "1" }, true],
  [{ a: "1" }, { a: "2" }, false],
  [{ a: "1" }, {}, false],
  [{}, { a: "" }, false],
])("records %j and %j", (a, b, equal) => {
  expect(recordsEqual(a, b)).toBe(equal);
});

test("the same text in two header encodings is no difference", () => {
  const author = { base64: "=?UTF-8?B?w6k=?=", quoted: "=?UTF-8?Q?=C3=A9?=" };
  const written = makeSnapshot({ metadata: { author: author.base64 } });
  expect(firstDifference(makeSnapshot({ metadata: { author: author.quoted } }), copy(written), BRIDGE)).toBeUndefined();
  expect(firstDifference(makeSnapshot({ metadata: { author: "e" } }), copy(written), BRIDGE)?.what).toBe("metadata");
});

test.each<[string, Partial<ObjectSnapshot>, Partial<ObjectHead>, Difference, RegExp]>([
  [
    "a header",
    { headers: { cacheControl: "no-store" } },
    { headers: { cacheControl: "max-age=1" } },
    { what: "headers", name: "cache-control", wanted: "no-store", found: "max-age=1" },
    /^header cache-control is "max-age=1", the source's is "no-store"$/,
  ],
  [
    "a header that the destination lacks",
    { headers: { contentLanguage: "de" } },
    { headers: {} },
    { what: "headers", name: "content-language", wanted: "de", found: undefined },
    /content-language is absent/,
  ],
  [
    "a metadata entry whose values are long",
    { metadata: { note: "n".repeat(300) } },
    { metadata: replicaMetadata(makeSnapshot({ metadata: { note: "m".repeat(300) } }), BRIDGE, "k") },
    { what: "metadata", name: "note", wanted: "n".repeat(100), found: "m".repeat(100) },
    /^metadata note is "m{100}", the source's is "n{100}"$/,
  ],
  ["the size", {}, { sizeBytes: 7 }, { what: "bytes", name: "size", wanted: "6", found: "7" }, /^bytes size is "7"/],
])("the difference names %s and both values", (_what, source, head, expected, text) => {
  const snapshot = makeSnapshot(source);
  const found = firstDifference(snapshot, copy(snapshot, head), BRIDGE);
  expect(found).toEqual(expected);
  expect(describeDifference(found as Difference)).toMatch(text);
});

describe("headers that stores do not keep as they were sent", () => {
  test.each<[ObjectSnapshot["headers"], ObjectHead["headers"]]>([
    [{ contentEncoding: "" }, {}],
    [{ contentEncoding: "aws-chunked" }, {}],
    [{ contentEncoding: "aws-chunked,gzip" }, { contentEncoding: "gzip" }],
    [{ contentEncoding: "gzip, AWS-chunked" }, { contentEncoding: "gzip" }],
    [{ contentEncoding: "gzip" }, { contentEncoding: "aws-chunked,gzip" }],
    [{ contentEncoding: "GZIP, br" }, { contentEncoding: "gzip,br" }],
    [{ cacheControl: "" }, {}],
    [{}, { contentType: "binary/octet-stream" }],
    [{ contentType: "" }, { contentType: "application/octet-stream" }],
  ])("%j equals %j", (headers, found) => {
    const snapshot = makeSnapshot({ headers });
    expect(firstDifference(snapshot, copy(snapshot, { headers: found }), BRIDGE)).toBeUndefined();
  });

  test.each<[ObjectSnapshot["headers"], ObjectHead["headers"]]>([
    [{ contentEncoding: "gzip" }, {}],
    [{ contentEncoding: "aws-chunked,gzip" }, { contentEncoding: "br" }],
    [{ contentEncoding: "gzip,br" }, { contentEncoding: "br,gzip" }],
    [{ contentType: "text/plain" }, { contentType: "binary/octet-stream" }],
    [{}, { contentType: "text/plain" }],
  ])("%j differs from %j", (headers, found) => {
    const snapshot = makeSnapshot({ headers });
    expect(firstDifference(snapshot, copy(snapshot, { headers: found }), BRIDGE)?.what).toBe("headers");
  });
});

test.each(["__proto__", "constructor", "toString"])("an entry named %s is compared like any other", (name) => {
  const entry = (value: string) => Object.fromEntries([[name, value]]);
  const snapshot = makeSnapshot({ metadata: entry("1"), tags: entry("a") });
  expect(firstDifference(snapshot, copy(snapshot), BRIDGE)).toBeUndefined();
  expect(firstDifference(snapshot, copy(makeSnapshot({ metadata: {}, tags: entry("a") })), BRIDGE)).toMatchObject({
    what: "metadata",
    name,
    wanted: "1",
  });
  expect(firstDifference(snapshot, copy(snapshot, {}, entry("b")), BRIDGE)).toMatchObject({ what: "tags", name, found: "b" });
  expect(firstDifference(makeSnapshot({ tags: {} }), copy(makeSnapshot({ tags: {} }), {}, entry("b")), BRIDGE)?.what).toBe(
    "tags",
  );
});
