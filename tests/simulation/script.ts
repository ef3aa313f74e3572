/** What happens at the source while the bridge works, and what breaks. */
import fc from "fast-check";
import type { MemoryStore } from "../../runtime/stores/memory";
import type { Fault } from "./world";

export interface SourceAction {
  do:
    | "write-small"
    | "write-large"
    /** The same bytes again with other metadata. */
    | "touch"
    | "retag"
    | "delete"
    /** Removes the newest version for good, so that an older one is current again. */
    | "restore";
  key: string;
  /** Tells one content from another. */
  content: number;
  /** How often its event is delivered. */
  events: number;
  /** Steps of the scheduler between the action before and this one. */
  after: number;
}

const KEYS = ["a", "b"] as const;

export const actionArbitrary: fc.Arbitrary<SourceAction> = fc.record({
  do: fc.constantFrom("write-small", "write-small", "write-large", "write-large", "touch", "retag", "delete", "restore"),
  key: fc.constantFrom(...KEYS, "a"),
  content: fc.integer({ min: 0, max: 2 }),
  events: fc.integer({ min: 1, max: 2 }),
  after: fc.integer({ min: 0, max: 40 }),
});

export interface Story {
  actions: SourceAction[];
  faults: Fault[];
  /** Virtual time that passes while work is under way; ms each. */
  ticksMs: number[];
  conditionalWrites: boolean;
  versionedSource: boolean;
  sourceChecksums: boolean;
  deletes: "ignore" | "replicate";
}

const faultArbitrary: fc.Arbitrary<Fault> = fc.record({
  label: fc.constantFrom(
    ...["post", "enqueue", "acknowledge", "launch"],
    ...["head", "getTags", "presignGet", "get"].map((op) => `source ${op}`),
    ...["head", "getTags", "put", "putTags", "delete"].map((op) => `destination ${op}`),
    ...["createUpload", "uploadPart", "listParts", "completeUpload", "abortUpload"].map((op) => `destination ${op}`),
    ...["get", "put", "delete"].map((op) => `control ${op}`),
    // These decide; they fail more often.
    ...["post", "source get", "destination put", "destination delete", "destination completeUpload", "acknowledge"],
  ),
  nth: fc.integer({ min: 1, max: 5 }),
  kind: fc.constantFrom("crash", "refuse", "lose-answer", "lose-answer-and-crash", "stall", "stall", "stall-and-crash"),
  hold: fc.integer({ min: 1, max: 8 }),
});

export const storyArbitrary: fc.Arbitrary<Story> = fc.record({
  actions: fc.array(actionArbitrary, { minLength: 1, maxLength: 5 }),
  faults: fc.array(faultArbitrary, { maxLength: 5 }),
  ticksMs: fc.array(fc.constantFrom(200, 1_500, 5_000, 28_000, 61_000), { maxLength: 8 }),
  conditionalWrites: fc.boolean(),
  versionedSource: fc.boolean(),
  sourceChecksums: fc.boolean(),
  deletes: fc.constant("replicate"),
});

/** Does it, and tells whether the store would send an event. */
export async function act(source: MemoryStore, action: SourceAction): Promise<boolean> {
  const current = source.snapshotOf(action.key);
  const put = async (bytes: Uint8Array, metadata: Record<string, string>) => {
    await source.put(action.key, bytes, {
      sizeBytes: bytes.length,
      attributes: {
        headers: { contentType: "text/plain" },
        metadata: { written: String(action.content), ...metadata },
        tags: {},
      },
    });
    return true;
  };
  switch (action.do) {
    case "write-small":
      return await put(Buffer.from(String(action.content).repeat(6)), {});
    case "write-large":
      return await put(Buffer.from(String(action.content).repeat(11)), {});
    case "touch":
      return current === undefined ? false : await put(current.bytes, { touched: String(action.content) });
    case "retag":
      if (current === undefined) return false;
      await source.putTags(action.key, { retagged: String(action.content) });
      return true;
    case "delete":
      await source.delete(action.key);
      return true;
    case "restore": {
      const newest = source.versionIds(action.key).at(-1);
      if (newest === undefined) return false;
      source.deleteVersion(action.key, newest);
      return true;
    }
  }
}
