import fc from "fast-check";
import {
  attributeHeaders,
  decodeMetadataName,
  decodeMetadataValue,
  encodeMetadataName,
  encodeMetadataValue,
  parseHead,
} from "../../../../runtime/stores/oss/metadata";
import { expectKind } from "../../../conformance/object-store/context";

const name = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."!#$%&'*+.^_`|~09az-"), minLength: 1, maxLength: 20 }),
  fc.string({ unit: fc.constantFrom(..."encoded-5f_2"), minLength: 1, maxLength: 12 }).map((rest) => `encoded-${rest}`),
);
const value = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 10 }).filter((text) => !/\p{Surrogate}/u.test(text)),
  fc.string({ unit: "grapheme", maxLength: 8 }).map((text) => `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`),
);

test("every name is encoded in characters that OSS accepts, and is decoded to itself", () => {
  fc.assert(
    fc.property(name, (one) => {
      const carried = encodeMetadataName(one);
      expect(carried).toMatch(/^[a-z0-9-]+$/);
      expect(decodeMetadataName(carried)).toBe(one);
    }),
    { numRuns: 2000 },
  );
});

test("different names and values have different encodings", () => {
  fc.assert(
    fc.property(name, name, value, value, (a, b, x, y) => {
      expect(encodeMetadataName(a) === encodeMetadataName(b)).toBe(a === b);
      expect(encodeMetadataValue(x) === encodeMetadataValue(y)).toBe(x === y);
    }),
    { numRuns: 2000 },
  );
});

test("every value is encoded as trimmed printable ASCII, and is decoded to itself", () => {
  fc.assert(
    fc.property(value, (one) => {
      const carried = encodeMetadataValue(one);
      expect(carried).toMatch(/^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/);
      expect(decodeMetadataValue(carried)).toBe(one);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ["some-name", "some-name"],
  ["a--b", "a--b"],
  ["x.y_z", "encoded-x-2ey-5fz"],
  ["encoded-x", "encoded-encoded--x"],
  ["a_-b", "encoded-a-5f--b"],
])("the name %s is encoded as %s", (one, carried) => {
  expect(encodeMetadataName(one)).toBe(carried);
});

test.each(["encoded-", "encoded-a-", "encoded-a-5", "encoded-plain", "encoded-a-61", "encoded-a-41"])(
  "a name %s of another writer is unchanged",
  (carried) => {
    expect(decodeMetadataName(carried)).toBe(carried);
  },
);

test("plain values stay readable, values that others wrote as raw UTF-8 are text", () => {
  expect(encodeMetadataValue("two words, plain=1")).toBe("two words, plain=1");
  expect(encodeMetadataValue("文")).toBe("=?UTF-8?B?5paH?=");
  expect(decodeMetadataValue(Buffer.from("文件").toString("latin1"))).toBe("文件");
  expect(decodeMetadataValue("=?UTF-8?B?/w==?=")).toBe("=?UTF-8?B?/w==?=");
});

test("more metadata than OSS takes is Invalid with both figures", async () => {
  const attributes = (length: number) => ({ headers: {}, metadata: { a: "x".repeat(length) } });
  expect(attributeHeaders("put", attributes(8191))["x-oss-meta-a"]).toHaveLength(8191);
  const tooMuch = async () => attributeHeaders("put", attributes(8192));
  await expectKind(tooMuch(), "Invalid");
  await expect(tooMuch()).rejects.toThrow("8193 bytes as OSS stores it, OSS takes at most 8192");
});

test("a head returns the attributes that were sent", () => {
  const attributes = {
    headers: { contentType: "text/plain", contentDisposition: 'attachment; filename="文.txt"', expires: "0" },
    metadata: { "x.y_z": "café", empty: "" },
  };
  const fields = { ...attributeHeaders("put", attributes), etag: '"E1"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" };
  expect(parseHead("head", { ...fields, "x-oss-version-id": "v1" }, 5)).toEqual({
    ...attributes,
    etag: "E1",
    sizeBytes: 5,
    lastModified: new Date("2026-01-01T00:00:00Z"),
    versionId: "v1",
  });
});

test("an answer without an ETag is Unexpected", async () => {
  await expectKind((async () => parseHead("head", { "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" }, 0))(), "Unexpected");
});
