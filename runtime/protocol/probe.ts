/**
 * Requests of the latency probe to a prober, the function on one side of a bridge. The source side puts objects, the other side watches
 * its own store for them, so that no credential has to reach both.
 */
import * as z from "./schema";

/** Larger than a latency report needs, and smaller than a function's memory. */
export const MAX_PROBE_SIZE_BYTES = 64 * 1024 * 1024;
const MAX_OBJECTS = 1000;

/** Relative to the prober's own `probePrefix`; letters, digits, and `-_./`. */
const name = z.string().check(z.regex(/^[\w-][\w./-]{0,255}$/));
const names = z.array(name).check(z.minLength(1), z.maxLength(MAX_OBJECTS));
const atMs = z.count;

export const probeRequestSchema = z.discriminatedUnion("action", [
  /** Puts the objects one after the other, each of bytes that do not compress. */
  z.strictObject({
    action: z.literal("put"),
    objects: z
      .array(z.strictObject({ name, sizeBytes: z.int().check(z.minimum(0), z.maximum(MAX_PROBE_SIZE_BYTES)) }))
      .check(z.minLength(1), z.maxLength(MAX_OBJECTS)),
  }),
  /** Looks for each object until it is there, at most `attempts` times. Two looks at one object are `intervalMs` apart. */
  z.strictObject({
    action: z.literal("watch"),
    names,
    attempts: z.int().check(z.minimum(1), z.maximum(1_000_000)),
    intervalMs: z.int().check(z.minimum(10), z.maximum(60_000)),
  }),
  /** Removes the named objects that exist. It deletes the visible version itself, so that no delete marker is left. */
  z.strictObject({ action: z.literal("clean"), names }),
]);
export type ProbeRequest = z.infer<typeof probeRequestSchema>;
export type ProbePut = Extract<ProbeRequest, { action: "put" }>;
export type ProbeWatch = Extract<ProbeRequest, { action: "watch" }>;
export type ProbeClean = Extract<ProbeRequest, { action: "clean" }>;

export const probePutAnswerSchema = z.strictObject({
  /** In the order of the request. `postedAtMs` is the time when the store acknowledged the object, by the putting function's clock. */
  put: z.array(z.strictObject({ name, sizeBytes: z.count, postedAtMs: atMs })),
});
export type ProbePutAnswer = z.infer<typeof probePutAnswerSchema>;

export const probeWatchAnswerSchema = z.strictObject({
  /** `seenAtMs` is the time when the answer with the object arrived, by the watching function's clock. */
  seen: z.array(z.strictObject({ name, sizeBytes: z.count, seenAtMs: atMs, attempts: z.int() })),
  /** Not there after all `attempts`. */
  missing: z.array(z.strictObject({ name, attempts: z.int() })),
  /** The function's time ended before all attempts were made. Ask again for these. */
  pending: z.array(z.strictObject({ name, attempts: z.int() })),
});
export type ProbeWatchAnswer = z.infer<typeof probeWatchAnswerSchema>;

export const probeCleanAnswerSchema = z.strictObject({ cleaned: z.count });
export type ProbeCleanAnswer = z.infer<typeof probeCleanAnswerSchema>;
