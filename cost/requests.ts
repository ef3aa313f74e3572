/** The requests that the roles make for one object. Every page and every estimate takes its counts from here. */
import { COUNTED } from "./counted";

/** A call of a store. `Missing`: the store has no such object, which not every vendor bills. */
export type RequestName =
  | "head"
  | "headMissing"
  | "get"
  | "getMissing"
  | "getTags"
  | "put"
  | "delete"
  | "createUpload"
  | "uploadPart"
  | "completeUpload"
  | "append"
  | "readTail"
  | "readTailMissing";

export type Counts = Partial<Record<RequestName, number>>;

/** Requests by place. `records` is the bucket that keeps records for a store without conditional writes. */
export interface Requests {
  source: Counts;
  destination: Counts;
  records: Counts;
}

/** OSS has no conditional writes, so a destination in OSS takes other requests than one in S3. Push is OSS to OSS. */
export type Path = "pull-to-s3" | "pull-to-oss" | "push";

/**
 * - `new`: a small object that the destination does not have.
 * - `unchanged`: an event of an object that the destination has already.
 * - `tags`: in addition to `new`, for an object with tags.
 * - `delete`: the object is gone, and `deletes: replicate` removes the replica.
 */
export type Work = "new" | "unchanged" | "tags" | "delete";

export const SMALL_OBJECT: Readonly<Record<Path, Readonly<Record<Work, Requests>>>> = COUNTED.small;

/** Steps of a workflow execution, and invocations of the pusher, for a small object. */
export const PUSH_STEPS: Readonly<Record<"new" | "unchanged", { steps: number; pusher: number }>> = COUNTED.push;

/** A large object whose copy takes one run: `object` once, with the sender's questions while it runs, and `part` for every part. */
export const LARGE_OBJECT: Readonly<Record<Path, Readonly<Record<"object" | "part", Requests>>>> = COUNTED.large;

/** The object with which `LARGE_OBJECT.object` is counted. */
export const LARGE_REFERENCE = { sizeBytes: 1024 ** 3, partSizeBytes: 16 * 1024 ** 2, questions: COUNTED.questions } as const;

/** The default of `inlineLimitBytes`: the receiver itself copies objects up to this size. */
export const INLINE_LIMIT_BYTES = 64 * 1024 ** 2;

/** Objects in one invocation of a sender at an AWS source, and in one request to the receiver, when many arrive at once. */
export const BATCH_SIZE = 10;

/** The same with `batchSeconds`, when so many arrive within that time. */
export const WINDOW_BATCH_SIZE = 50;

/** The events that one instance of a sender at an OSS source takes at the same time, each an invocation, and the requests that they share. */
export const OSS_EVENTS: { readonly events: number; readonly calls: number; readonly requests: number } = COUNTED.ossEvents;

export function times(requests: Requests, factor: number): Requests {
  const scaled = (counts: Counts): Counts =>
    Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count * factor]));
  return { source: scaled(requests.source), destination: scaled(requests.destination), records: scaled(requests.records) };
}

export function sum(all: readonly Requests[]): Requests {
  const total: Requests = { source: {}, destination: {}, records: {} };
  for (const requests of all)
    for (const place of ["source", "destination", "records"] as const)
      for (const [name, count] of Object.entries(requests[place]) as [RequestName, number][])
        total[place][name] = (total[place][name] ?? 0) + count;
  return total;
}
