import {
  genuineMetadata,
  readProvenance,
  replicaMetadata,
  sourceVersionOf,
  withoutProvenance,
} from "../../../runtime/replication/provenance";
import { BRIDGE, makeSnapshot } from "../support/make-snapshot";

test("a replica has its owner's metadata and its provenance", () => {
  const metadata = replicaMetadata(makeSnapshot({ versionId: "v7" }), BRIDGE, "k");
  expect(metadata).toEqual({
    author: "someone",
    "bridge-id": "bridge",
    "bridge-source-version": "v7",
    "bridge-source-modified": "2026-03-01T00:00:00.000Z",
    "bridge-origin": "aws:source",
    // The first half of the SHA-256 of "k", so that the metadata stays small whatever the key.
    "bridge-key": "8254c329a92850f6",
  });
  expect(readProvenance(metadata)).toEqual({
    bridgeId: "bridge",
    sourceVersion: "v7",
    sourceModified: "2026-03-01T00:00:00.000Z",
    origin: "aws:source",
  });
  expect(withoutProvenance(metadata)).toEqual({ author: "someone" });
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

test.each(["bridge-id", "bridge-source-version", "bridge-source-modified", "bridge-origin"])(
  "without %s it is no provenance",
  (missing) => {
    const { [missing]: _left, ...rest } = replicaMetadata(makeSnapshot(), BRIDGE, "k");
    expect(readProvenance(rest)).toBeUndefined();
    expect(withoutProvenance(rest)).toEqual({ author: "someone" });
  },
);

test.each<[string, string | undefined, string]>([
  ["a versionId names a state", "v7", "v7"],
  ["without versions the etag does", undefined, "e1"],
  ["the versionId that a bucket with suspended versioning gives to every write does not", "null", "e1"],
])("%s", (_what, versionId, expected) => {
  expect(sourceVersionOf(makeSnapshot(versionId === undefined ? {} : { versionId }))).toBe(expected);
});
