/**
 * The requests that the roles make for one object. `tests/cost/requests.test.ts` runs the real roles and fails where they make another number, so this
 * file is changed together with them, and with nothing else: every page and every estimate takes its counts from here.
 */

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

const none: Requests = { source: {}, destination: {}, records: {} };

export const SMALL_OBJECT: Readonly<Record<Path, Readonly<Record<Work, Requests>>>> = {
  "pull-to-s3": {
    new: {
      source: { head: 2, getTags: 2, get: 1 },
      destination: { getMissing: 1, headMissing: 1, put: 1, head: 1, getTags: 1 },
      records: {},
    },
    unchanged: { source: { head: 2, getTags: 2 }, destination: { getMissing: 1, head: 1, getTags: 1 }, records: {} },
    tags: none,
    delete: {
      source: { headMissing: 2, getMissing: 1 },
      destination: { getMissing: 1, head: 1, getTags: 1, delete: 1, headMissing: 1 },
      records: {},
    },
  },
  "pull-to-oss": {
    new: {
      source: { head: 2, getTags: 2, get: 1 },
      destination: { headMissing: 1, put: 1, head: 1, getTags: 1 },
      records: { readTailMissing: 1 },
    },
    unchanged: { source: { head: 2, getTags: 2 }, destination: { head: 1, getTags: 1 }, records: { readTailMissing: 1 } },
    tags: none,
    delete: {
      source: { headMissing: 2, getMissing: 1 },
      destination: { head: 1, getTags: 1, delete: 1, headMissing: 1 },
      records: { readTailMissing: 1 },
    },
  },
  push: {
    new: {
      source: { head: 5, getTags: 5, get: 1 },
      destination: { headMissing: 2, put: 1, head: 2, getTags: 2 },
      records: { readTailMissing: 3 },
    },
    unchanged: { source: { head: 2, getTags: 2 }, destination: { head: 1, getTags: 1 }, records: { readTailMissing: 1 } },
    tags: none,
    delete: {
      source: { headMissing: 6 },
      destination: { head: 2, getTags: 2, delete: 1, headMissing: 2 },
      records: { readTailMissing: 3 },
    },
  },
};

/** Steps of a workflow execution, and invocations of the pusher, for a small object. */
export const PUSH_STEPS: Readonly<Record<"new" | "unchanged", { steps: number; pusher: number }>> = {
  new: { steps: 7, pusher: 4 },
  unchanged: { steps: 3, pusher: 2 },
};

/** A large object whose copy takes one run: `object` once, with the sender's questions while it runs, and `part` for every part. */
export const LARGE_OBJECT: Readonly<Record<Path, Readonly<Record<"object" | "part", Requests>>>> = {
  "pull-to-s3": {
    object: {
      source: { head: 5, getTags: 6, get: 2 },
      destination: {
        ...{ getMissing: 3, headMissing: 4, get: 9, head: 2, getTags: 2 },
        ...{ put: 6, createUpload: 1, completeUpload: 1, delete: 2 },
      },
      records: {},
    },
    part: { source: { get: 1 }, destination: { get: 1, uploadPart: 1 }, records: {} },
  },
  "pull-to-oss": {
    object: {
      source: { head: 5, getTags: 6, get: 2 },
      destination: { headMissing: 4, get: 1, head: 2, getTags: 2, put: 1, createUpload: 1, completeUpload: 1 },
      records: { readTailMissing: 6, readTail: 13, append: 11 },
    },
    part: { source: { get: 1 }, destination: { uploadPart: 1 }, records: { readTail: 1 } },
  },
  push: {
    object: {
      source: { head: 7, getTags: 6 },
      destination: { headMissing: 3, head: 2, getTags: 2, createUpload: 1, completeUpload: 1 },
      records: { readTailMissing: 7, readTail: 8, append: 7 },
    },
    part: { source: { get: 1 }, destination: { uploadPart: 1 }, records: { readTail: 1 } },
  },
};

/** The object with which `LARGE_OBJECT.object` is counted. */
export const LARGE_REFERENCE = { sizeBytes: 1024 ** 3, partSizeBytes: 16 * 1024 ** 2, questions: 4 } as const;

/** Objects in one invocation of the sender, and in one request to the receiver, when many arrive at once. */
export const BATCH_SIZE = 10;

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
