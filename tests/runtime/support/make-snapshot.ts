import type { ObjectSnapshot } from "../../../runtime/protocol/snapshot";
import type { ObjectHead } from "../../../runtime/stores/object-store";

export const BRIDGE = { bridgeId: "bridge", sourceId: "aws:source" } as const;

/** A plain source object. */
export function makeSnapshot(changes: Partial<ObjectSnapshot> = {}): ObjectSnapshot {
  return {
    etag: "e1",
    sizeBytes: 6,
    lastModified: "2026-03-01T00:00:00.000Z",
    headers: { contentType: "text/plain" },
    metadata: { author: "someone" },
    tags: { team: "red" },
    ...changes,
  };
}

/** The head that a store would return for it, with exactly this metadata. */
export function makeHead(changes: Partial<ObjectHead> = {}): ObjectHead {
  return {
    etag: "d1",
    sizeBytes: 6,
    lastModified: new Date("2026-03-01T00:00:05Z"),
    headers: { contentType: "text/plain" },
    metadata: {},
    checksums: [],
    ...changes,
  };
}
