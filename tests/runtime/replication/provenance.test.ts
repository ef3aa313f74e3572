import * as fc from "fast-check";
import { firstDifference } from "../../../runtime/replication/equality";
import {
  formatProvenance,
  genuineMetadata,
  PROVENANCE_BYTES,
  parseProvenance,
  readProvenance,
  replicaMetadata,
  sourceVersionOf,
  withoutProvenance,
} from "../../../runtime/replication/provenance";
import { BRIDGE, makeHead, makeSnapshot } from "../support/make-snapshot";

test("a replica has its owner's metadata and one entry of its bridge", () => {
  const metadata = replicaMetadata(makeSnapshot({ versionId: "v7" }), BRIDGE, "k");
  expect(metadata).toEqual({
    author: "someone",
    // The source's Last-Modified in base 36, and the first half of the SHA-256 of "k", so that the entry stays small whatever the key.
    crossborderbridge: "2;bridge;v7;mm6zh1c0;aws:source;8254c329a92850f6;",
  });
  expect(readProvenance(metadata)).toEqual({
    bridgeId: "bridge",
    sourceVersion: "v7",
    sourceModified: "2026-03-01T00:00:00.000Z",
    origin: "aws:source",
  });
  expect(withoutProvenance(metadata)).toEqual({ author: "someone" });
});

test("the longest entry takes no more than its bound", () => {
  const snapshot = makeSnapshot({ versionId: "v".repeat(1024), metadata: {} });
  const bridge = { bridgeId: "b".repeat(64), sourceId: `alicloud:${"s".repeat(63)}` };
  const seal = { algorithm: "SHA256", value: Buffer.alloc(32).toString("base64") } as const;
  const [[name = "", value = ""] = []] = Object.entries(replicaMetadata(snapshot, bridge, "k", seal));
  expect(name.length + value.length).toBeLessThanOrEqual(PROVENANCE_BYTES);
  expect(readProvenance({ [name]: value })).toMatchObject({ sourceVersion: sourceVersionOf(snapshot), seal });
});

test("any text survives as a field", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((one) => !/\p{Surrogate}/u.test(one));
  void fc.assert(
    fc.property(text, text, text, (bridgeId, sourceVersion, origin) => {
      const provenance = { bridgeId, sourceVersion, origin, sourceModified: "2026-03-01T00:00:00.000Z", seal: "record" as const };
      const written = formatProvenance(provenance, "k");
      expect(written).toMatch(/^[!-~]*$/);
      expect(parseProvenance(written)?.provenance).toEqual(provenance);
    }),
  );
});

test.each([
  "",
  "2",
  "2;a;b;c",
  "3;bridge;v7;mm6zh1c0;aws:source;8254c329a92850f6;",
  "2;%;v7;mm6zh1c0;aws:source;8254;",
  "2;b;v;!;o;d;",
])("a user's own entry %j is no provenance", (text) => {
  expect(readProvenance({ crossborderbridge: text })).toBeUndefined();
  expect(withoutProvenance({ crossborderbridge: text, author: "someone" })).toEqual({ author: "someone" });
});

describe("the five entries of earlier releases", () => {
  const earlier = {
    author: "someone",
    "bridge-id": "bridge",
    "bridge-source-version": "e1",
    "bridge-source-modified": "2026-03-01T00:00:00.000Z",
    "bridge-origin": "aws:source",
    "bridge-key": "8254c329a92850f6",
  };

  test("are a provenance, and the replica counts as equal", () => {
    expect(readProvenance(earlier)).toEqual({
      bridgeId: "bridge",
      sourceVersion: "e1",
      sourceModified: "2026-03-01T00:00:00.000Z",
      origin: "aws:source",
    });
    expect(withoutProvenance(earlier)).toEqual({ author: "someone" });
    const seen = { head: makeHead({ metadata: genuineMetadata(earlier, "k") }), tags: makeSnapshot().tags };
    expect(firstDifference(makeSnapshot(), seen, BRIDGE)).toBeUndefined();
  });

  test("belong to their key", () => {
    expect(genuineMetadata(earlier, "k")).toEqual(earlier);
    expect(genuineMetadata(earlier, "copy of k")).toEqual({ author: "someone" });
  });

  test("are replaced by the one entry when the object is written again", () => {
    const written = replicaMetadata(makeSnapshot({ metadata: earlier }), BRIDGE, "k");
    expect(Object.keys(written)).toEqual(["author", "crossborderbridge"]);
  });

  test.each(["bridge-id", "bridge-source-version", "bridge-source-modified", "bridge-origin"])(
    "are a user's own metadata without %s",
    (missing) => {
      const rest = Object.fromEntries(Object.entries(earlier).filter(([name]) => name !== missing));
      expect(readProvenance(rest)).toBeUndefined();
      expect(withoutProvenance(rest)).toEqual(rest);
    },
  );
});

test("a user's copy of a replica under another key is not a replica", () => {
  const replica = replicaMetadata(makeSnapshot(), BRIDGE, "k");
  expect(genuineMetadata(replica, "k")).toEqual(replica);
  expect(genuineMetadata(replica, "copy of k")).toEqual({ author: "someone" });
});

test("a replica of a replica names this bridge and keeps the first origin", () => {
  const first = replicaMetadata(makeSnapshot(), { bridgeId: "first", sourceId: "aws:origin" }, "k");
  const second = readProvenance(replicaMetadata(makeSnapshot({ metadata: first }), BRIDGE, "k"));
  expect(second).toMatchObject({ bridgeId: "bridge", origin: "aws:origin" });
});

test.each<[string, string | undefined, string]>([
  ["a versionId names a state", "v7", "v7"],
  ["without versions the etag does", undefined, "e1"],
  ["the versionId that a bucket with suspended versioning gives to every write does not", "null", "e1"],
])("%s", (_what, versionId, expected) => {
  expect(sourceVersionOf(makeSnapshot(versionId === undefined ? {} : { versionId }))).toBe(expected);
});
