/** Stories: changes of the source while the bridge works, and faults. */
import fc from "fast-check";
import type { MemoryStore } from "../../runtime/stores/memory/store";
import type { Fault } from "./world/network";
import type { PullOptions } from "./world/pull";
import type { PushOptions } from "./world/push";

export interface SourceAction {
  do:
    | "write-small"
    | "write-large"
    /** The same bytes again with other metadata. */
    | "touch"
    | "retag"
    | "delete"
    /** Deletes the newest version. The version before it becomes current. */
    | "restore";
  key: string;
  /** Different numbers make different bytes. */
  content: number;
  /** How often its event is delivered. */
  events: number;
  /** Virtual time since the previous action; ms. The bridge may come to rest in it. */
  laterMs: number;
  /** Steps of the scheduler after `laterMs`. */
  after: number;
}

const KEYS = ["a", "b", "c"] as const;

const actionArbitrary: fc.Arbitrary<SourceAction> = fc.record({
  do: fc.constantFrom("write-small", "write-small", "write-large", "write-large", "touch", "retag", "delete", "restore"),
  // Most actions change key a. The other keys share its batches.
  key: fc.constantFrom(...KEYS, "a", "a", "a"),
  content: fc.integer({ min: 0, max: 2 }),
  events: fc.integer({ min: 1, max: 2 }),
  laterMs: fc.constantFrom(0, 0, 0, 0, 5_000, 7_000, 100_000, 181_000),
  after: fc.integer({ min: 0, max: 40 }),
});

/** Actions and passing of time that a world goes through. */
export interface Script {
  actions: SourceAction[];
  /** Virtual time that passes while work is running; ms each. */
  ticksMs: number[];
  /** Time between the copies of one event; ms. */
  copiesLaterMs?: number;
  /** No key is written twice in one second of the source's clock. */
  distinctSeconds?: boolean;
}

/** An earlier request is delivered again. */
export interface Replay {
  /** Its number among the requests that reached a receiver until then, from 0. */
  request: number;
  /** Steps of the scheduler before it. */
  after: number;
}

/**
 * `replays`: an adversary is there, during the story and at its end. Its stories have distinct seconds: without versions, equal bytes that are
 * written twice in one second look the same to a pinned read (ADR 27).
 */
export type PullStory = Script & { replays?: Replay[] | undefined } & Pick<
    PullOptions,
    "faults" | "conditionalWrites" | "versionedSource" | "sourceChecksums" | "trigger" | "leases" | "mayStream"
  > &
  Required<Pick<PullOptions, "deletes" | "batchSize" | "statusTags" | "sourceSkewMs" | "triesPerPart">>;

export type PushStory = Script &
  Pick<PushOptions, "faults" | "versionedSource" | "checksums" | "maxAttempts"> &
  Required<Pick<PushOptions, "deletes" | "statusTags">>;

const operations = (store: string, ...names: string[]): string[] => names.map((name) => `${store} ${name}`);

const SHARED_OPERATIONS = [
  ...operations("destination", "head", "getTags", "put", "putTags", "delete"),
  ...operations("destination", "createUpload", "uploadPart", "listParts", "completeUpload", "abortUpload"),
];

/** Draws a fault of one of these operations. An operation that is named twice fails more often. */
const faultAt = (max: number, ...labels: string[]): fc.Arbitrary<Fault> =>
  fc.record({
    label: fc.constantFrom(...labels),
    nth: fc.integer({ min: 1, max }),
    kind: fc.constantFrom("crash", "refuse", "lose-answer", "lose-answer-and-crash", "stall", "stall", "stall-and-crash"),
    hold: fc.integer({ min: 1, max: 8 }),
  });

const pullFault = faultAt(
  5,
  ...["post", "enqueue", "acknowledge", "launch"],
  ...operations("source", "head", "getTags", "presignGet", "get"),
  ...SHARED_OPERATIONS,
  ...operations("control", "get", "put", "delete"),
  ...["post", "source get", "destination put", "destination delete", "destination completeUpload", "acknowledge"],
);

const pushFault = faultAt(
  6,
  ...["flow start", "flow describe", "invoke", "park", "enqueue", "start looks", "queue remove"],
  ...operations("outage", "add", "isEmpty", "receive", "remove"),
  ...operations("source", "head", "getTags", "get"),
  ...SHARED_OPERATIONS,
  ...operations("control", "append", "readTail"),
  ...["flow start", "invoke", "invoke", "source get", "destination put", "destination delete", "destination completeUpload"],
);

const twiceFault: fc.Arbitrary<Fault> = fc.record({
  label: fc.constant("launch"),
  nth: fc.integer({ min: 1, max: 3 }),
  kind: fc.constant("twice"),
  hold: fc.constant(0),
});

const shared = {
  actions: fc.array(actionArbitrary, { minLength: 1, maxLength: 5 }),
  ticksMs: fc.array(fc.constantFrom(200, 1_500, 5_000, 28_000, 61_000), { maxLength: 8 }),
  versionedSource: fc.boolean(),
  deletes: fc.constantFrom<("replicate" | "ignore")[]>("replicate", "replicate", "replicate", "ignore"),
  statusTags: fc.constantFrom(false, false, false, true),
};

export const pullStories: fc.Arbitrary<PullStory> = fc.record({
  ...shared,
  faults: fc.array(fc.oneof({ weight: 12, arbitrary: pullFault }, { weight: 1, arbitrary: twiceFault }), { maxLength: 5 }),
  conditionalWrites: fc.boolean(),
  sourceChecksums: fc.boolean(),
  batchSize: fc.integer({ min: 1, max: 5 }),
  sourceSkewMs: fc.constantFrom(0, 0, -86_400_000, 86_400_000),
  triesPerPart: fc.constantFrom(1, 2),
  mayStream: fc.boolean(),
  replays: fc.option(
    fc.array(fc.record({ request: fc.integer({ min: 0, max: 5 }), after: fc.integer({ min: 0, max: 60 }) }), { maxLength: 3 }),
    { nil: undefined },
  ),
});

export const pushStories: fc.Arbitrary<PushStory> = fc.record({
  ...shared,
  faults: fc.array(pushFault, { maxLength: 5 }),
  checksums: fc.boolean(),
  copiesLaterMs: fc.constantFrom(0, 0, 40_000, 200_000),
});

/**
 * Applies the action to the source.
 * @returns true if the store sends an event
 */
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
