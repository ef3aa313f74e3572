/** Watches for many objects at once, each with its own number of looks. */
import pLimit from "p-limit";
import type { Clock } from "../../protocol/ports";
import type { ProbeWatch, ProbeWatchAnswer } from "../../protocol/probe";
import type { ProbeObjects } from "./objects";

export interface WatchDeps {
  objects: Pick<ProbeObjects, "look">;
  clock: Pick<Clock, "now">;
  sleep(ms: number): Promise<void>;
}

/** Looks that run at the same time. */
const LOOKS_AT_ONCE = 16;

type Outcome =
  | ({ state: "seen" } & ProbeWatchAnswer["seen"][number])
  | ({ state: "missing" | "pending" } & ProbeWatchAnswer["missing"][number]);

/** @throws BridgeError when a look fails for good; the other objects are not looked for any more. */
export async function watch(request: ProbeWatch, deps: WatchDeps, endMs: number): Promise<ProbeWatchAnswer> {
  const { objects, clock, sleep } = deps;
  const limit = pLimit(LOOKS_AT_ONCE);
  let isOver = false;

  /** Undefined when the time is over: the store was not asked. */
  async function look(name: string) {
    if (isOver || clock.now() >= endMs) return undefined;
    try {
      const head = await objects.look(name, endMs);
      return { head, atMs: clock.now() };
    } catch (error) {
      isOver = true;
      throw error;
    }
  }

  async function follow(name: string): Promise<Outcome> {
    for (let attempts = 0; ; ) {
      const looked = await limit(look, name);
      if (looked === undefined) return { state: "pending", name, attempts };
      attempts += 1;
      const { head, atMs } = looked;
      if (head !== undefined) return { state: "seen", name, sizeBytes: head.sizeBytes, seenAtMs: atMs, attempts };
      if (attempts >= request.attempts) return { state: "missing", name, attempts };
      if (clock.now() + request.intervalMs >= endMs) return { state: "pending", name, attempts };
      await sleep(request.intervalMs);
    }
  }

  const outcomes = await Promise.all(request.names.map(follow));
  const answer: ProbeWatchAnswer = { seen: [], missing: [], pending: [] };
  for (const outcome of outcomes) {
    const { state, ...entry } = outcome;
    (answer[state] as object[]).push(entry);
  }
  return answer;
}
