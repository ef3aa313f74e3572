/** Looks for many objects at once, each at its own pace. */
import pLimit from "p-limit";
import type { Clock } from "../../protocol/ports";
import type { ProbeWatch, ProbeWatchAnswer } from "../../protocol/probe";
import type { ProbeObjects } from "./objects";

export interface WatchDeps {
  objects: Pick<ProbeObjects, "look">;
  clock: Pick<Clock, "now">;
  sleep(ms: number): Promise<void>;
}

/** Looks at the store at the same time. */
const SIDE_BY_SIDE = 16;

type Outcome =
  | ({ state: "seen" } & ProbeWatchAnswer["seen"][number])
  | ({ state: "missing" | "pending" } & ProbeWatchAnswer["missing"][number]);

/** @throws BridgeError at the first look that asking again cannot help; the others end with it. */
export async function watch(request: ProbeWatch, deps: WatchDeps, endMs: number): Promise<ProbeWatchAnswer> {
  const { objects, clock, sleep } = deps;
  const limit = pLimit(SIDE_BY_SIDE);
  let isOver = false;

  /** Undefined where the time has come to an end, and nobody looked. */
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
    if (outcome.state === "seen") {
      const { state: _seen, ...found } = outcome;
      answer.seen.push(found);
    } else {
      const { state, ...left } = outcome;
      answer[state].push(left);
    }
  }
  return answer;
}
