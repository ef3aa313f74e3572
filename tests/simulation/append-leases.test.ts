/** The whole protocol where leases are kept as lines of a log, as on a store without conditional writes. */
import fc from "fast-check";
import { BridgeError, isBridgeError } from "../../runtime/stores/errors";
import type { AppendStore, ObjectStore } from "../../runtime/stores/object-store";
import { readAll } from "../../runtime/stores/read-all";
import { play } from "./explore";
import { assertConverged, assertFresh, assertNeverTorn } from "./invariants";
import { storyArbitrary } from "./script";

jest.mock("../../runtime/replication/lease", () => {
  const actual = jest.requireActual("../../runtime/replication/lease");
  return {
    ...actual,
    createLeaseStore: (control: ObjectStore, bridgeId: string) => {
      const { createAppendLeaseStore } = jest.requireActual("../../runtime/replication/append-lease-store");
      logs += 1;
      return createAppendLeaseStore(appending(control), bridgeId, `writer ${logs}`);
    },
  };
});

let logs = 0;

/** Appending by the world's control store, so that its faults befall requests and answers alike. */
function appending(store: ObjectStore): AppendStore {
  async function whole(key: string): Promise<{ bytes: Buffer; etag: string } | undefined> {
    try {
      const { head, body } = await store.get(key);
      return { bytes: await readAll(body, 16 * 1024 ** 2), etag: head.etag };
    } catch (error) {
      if (isBridgeError(error, "NotFound")) return undefined;
      throw error;
    }
  }
  return {
    async append(key, position, bytes) {
      const present = await whole(key);
      if ((present?.bytes.length ?? 0) !== position) throw new BridgeError("PreconditionFailed", "append", "another length");
      const grown = Buffer.concat([present?.bytes ?? Buffer.alloc(0), bytes]);
      await store.put(key, grown, {
        sizeBytes: grown.length,
        attributes: { headers: {}, metadata: {}, tags: {} },
        condition: present === undefined ? { ifAbsent: true } : { ifMatch: present.etag },
      });
      return { sizeBytes: grown.length };
    },
    async readTail(key, maxBytes) {
      const present = await whole(key);
      return present && { bytes: present.bytes.subarray(-maxBytes), sizeBytes: present.bytes.length };
    },
  };
}

test("500 schedules keep the invariants", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), storyArbitrary, async (scheduler, story) => {
      const world = await play(scheduler, { ...story, conditionalWrites: false });
      assertConverged(world);
      assertNeverTorn(world.source, world.destination);
      assertFresh(world);
    }),
    { numRuns: 500, endOnFailure: true },
  );
  expect(logs).toBeGreaterThan(500);
}, 300_000);
