/**
 * Requests of the latency probe to a prober, the function on one side of a bridge. The source side puts objects, the other side watches
 * its own store for them, so that no credential has to reach both.
 */
import * as z from "zod";

/** Larger than a latency report needs, and smaller than a function's memory. */
export const MAX_PROBE_SIZE_BYTES = 64 * 1024 * 1024;
const MAX_OBJECTS = 1000;

/** Relative to the prober's own `probePrefix`; letters, digits, and `-_./`. */
const name = z.string().regex(/^[\w-][\w./-]{0,255}$/);
const names = z.array(name).min(1).max(MAX_OBJECTS);
const atMs = z.number().int().nonnegative();

export const probeRequestSchema = z.discriminatedUnion("action", [
  /** Puts the objects one after the other, each of bytes that do not compress. */
  z.strictObject({
    action: z.literal("put"),
    objects: z
      .array(z.strictObject({ name, sizeBytes: z.number().int().min(0).max(MAX_PROBE_SIZE_BYTES) }))
      .min(1)
      .max(MAX_OBJECTS),
  }),
  /** Looks for each object until it is there, at most `attempts` times. Two looks at one object are `intervalMs` apart. */
  z.strictObject({
    action: z.literal("watch"),
    names,
    attempts: z.number().int().min(1).max(1_000_000),
    intervalMs: z.number().int().min(10).max(60_000),
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
  put: z.array(z.strictObject({ name, sizeBytes: z.number().int().nonnegative(), postedAtMs: atMs })),
});
export type ProbePutAnswer = z.infer<typeof probePutAnswerSchema>;

export const probeWatchAnswerSchema = z.strictObject({
  /** `seenAtMs` is the time when the answer with the object arrived, by the watching function's clock. */
  seen: z.array(z.strictObject({ name, sizeBytes: z.number().int().nonnegative(), seenAtMs: atMs, attempts: z.number().int() })),
  /** Not there after all `attempts`. */
  missing: z.array(z.strictObject({ name, attempts: z.number().int() })),
  /** The function's time ended before all attempts were made. Ask again for these. */
  pending: z.array(z.strictObject({ name, attempts: z.number().int() })),
});
export type ProbeWatchAnswer = z.infer<typeof probeWatchAnswerSchema>;

export const probeCleanAnswerSchema = z.strictObject({ cleaned: z.number().int().nonnegative() });
export type ProbeCleanAnswer = z.infer<typeof probeCleanAnswerSchema>;
