/** Tells what an error of a replication means for its key: wait, count a failure, or give up. */
import type { WaitsFor } from "../protocol/messages";
import { BridgeError, type BridgeErrorKind, isPermanent } from "../stores/errors";

export interface FailureVerdict {
  /** `waiting` counts as no failure. */
  result: "waiting" | "retry" | "rejected";
  waitsFor?: WaitsFor | undefined;
  /** Absent where the error is of no store. */
  place?: "source" | "destination" | undefined;
  retryAfterSeconds?: number | undefined;
  reason: string;
}

const WAITS_FOR: Partial<Record<BridgeErrorKind, WaitsFor>> = {
  RateLimited: "throttling",
  Unavailable: "store",
  NoSuchBucket: "store",
  HostRefused: "store",
};

/**
 * A store that asks for fewer requests, that does not work, whose bucket is gone, or that must be asked through another host is waited for. A
 * permanent error is rejected. Any other error is a failure.
 * @param role named where the error is a defect, whose own message may hold anything
 */
export function verdictOn(error: unknown, role: "receiver" | "pusher" | "copier"): FailureVerdict {
  if (!(error instanceof BridgeError)) return { result: "retry", reason: `unexpected failure in the ${role}` };
  const { kind, message, retryAfterSeconds, place: known } = error;
  if (isPermanent(error)) return { result: "rejected", place: known, reason: message };
  const place = known ?? "destination";
  const waitsFor = WAITS_FOR[kind];
  if (waitsFor === undefined) return { result: "retry", place, reason: message };
  const reason = kind === "NoSuchBucket" ? `the ${place} bucket does not exist: ${message}` : message;
  return { result: "waiting", waitsFor, place, retryAfterSeconds, reason };
}
