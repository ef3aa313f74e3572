/** The bridge in one sentence. Green is only what was seen: a part that could not be read is never taken for a part without keys. Pure functions. */
import { reasonText } from "../status/status-text";
import { counted, durationText } from "../text";
import { bridgeCommand, type Trouble } from "./remedies";

/** What could not be read. */
export type Unread = "sides" | "letters" | "queue" | "outage" | "executions" | "log";

/** The first that applies. */
export type VerdictId =
  | "lost"
  | "lostBoth"
  /** Somebody deleted a queue of the bridge. */
  | "gone"
  | "paused"
  | "stuck"
  | "letters"
  | "errors"
  | "waiting"
  | "unread"
  /** The store itself replicates, and tells nothing of keys that wait. */
  | "native"
  | "across";

export interface Verdict {
  id: VerdictId;
  /** `unknown` is not green: something was not seen. */
  tone: "good" | "busy" | "bad" | "unknown";
}

const TONES: Readonly<Record<VerdictId, Verdict["tone"]>> = {
  ...{ lost: "bad", lostBoth: "bad", gone: "bad", stuck: "bad", letters: "bad", errors: "bad" },
  ...{ paused: "busy", waiting: "busy" },
  ...{ unread: "unknown", native: "unknown" },
  across: "good",
};

/** A function that fails has another error within this time: its messages come again, and the tick does. */
const RECENT_ERRORS_MS = 5 * 60_000;

/** Keys that fail again and again, or that wait for the end of an outage. */
export interface Stuck {
  keys: number;
  /** The reason of most of them. */
  reason: string;
  place?: string | undefined;
  store?: string | undefined;
}

/** One failure is often gone at the next try. */
const FAILURES_OF_STUCK = 2;
/** These stay until a person mends the cause, so the first failure counts. */
const LASTING: ReadonlySet<string | undefined> = new Set(["secrets", "platform403", "noBucket", "denied", "altered", "swapped"]);
/** They pass by themselves: a large copy goes on, or a store asks for fewer requests. */
const PASSING: ReadonlySet<string | undefined> = new Set(["copying", "room", "throttled"]);

/** @param troubles the largest group first */
export function stuckOf(troubles: readonly Trouble[]): Stuck | undefined {
  const groups = troubles.filter(
    ({ status, remedy, held, failures }) =>
      status === "PENDING" && !PASSING.has(remedy?.id) && (held > 0 || failures >= FAILURES_OF_STUCK || LASTING.has(remedy?.id)),
  );
  const [largest] = groups;
  if (largest === undefined) return undefined;
  const { reason, place, store } = largest;
  return { keys: groups.reduce((sum, { objects }) => sum + objects, 0), reason, place, store };
}

/** The parts of a snapshot that decide. */
export interface Seen {
  atMs: number;
  mode: string;
  source: { reachable: boolean | undefined };
  destination: { reachable: boolean | undefined };
  paused: boolean | undefined;
  /** Queues that are gone, and what that means. */
  gone?: readonly string[] | undefined;
  stuck?: Stuck | undefined;
  letters: { total: number };
  errors?: { count: number; last: string; lastMs: number } | undefined;
  /** Keys that the bridge has in hand. */
  waiting: number;
  backlog: { oldest?: { sinceMs: number } | undefined };
  unread: readonly Unread[];
}

export function verdictOf(seen: Seen): Verdict {
  const id = idOf(seen);
  return { id, tone: TONES[id] };
}

function idOf(seen: Seen): VerdictId {
  const lost = [seen.source, seen.destination].filter(({ reachable }) => reachable === false).length;
  if (lost > 0) return lost === 2 ? "lostBoth" : "lost";
  if (seen.gone !== undefined && seen.gone.length > 0) return "gone";
  if (seen.paused) return "paused";
  if (seen.stuck !== undefined) return "stuck";
  if (seen.letters.total > 0) return "letters";
  if (seen.errors !== undefined && seen.atMs - seen.errors.lastMs < RECENT_ERRORS_MS) return "errors";
  if (seen.waiting > 0) return "waiting";
  if (seen.unread.length > 0) return "unread";
  return seen.mode === "native" ? "native" : "across";
}

const UNREAD_TEXT: Readonly<Record<Unread, string>> = {
  sides: "the buckets",
  letters: "the dead letters",
  queue: "the work queue",
  outage: "the outage queue",
  executions: "the executions",
  log: "the log of the functions",
};

/** In one line, for the terminal. */
export function verdictText(snapshot: Seen & { verdict: Verdict; stack: string; local: boolean }): string {
  const { verdict, source, letters, backlog, waiting, atMs, unread, errors, stuck, gone = [] } = snapshot;
  const keys = counted(waiting, "key waits", "keys wait");
  switch (verdict.id) {
    case "lostBoth":
      return "neither side can be reached";
    case "lost":
      return `the ${source.reachable === false ? "source" : "destination"} cannot be reached`;
    case "gone":
      return gone.join("; ");
    case "paused":
      return `the bridge is paused, and ${keys}; to go on: ${bridgeCommand("resume", snapshot)}`;
    case "stuck":
      return `${counted(stuck?.keys ?? 0, "key does", "keys do")} not get across: ${reasonText(stuck?.reason ?? "", stuck ?? {})}`;
    case "letters":
      return `the bridge gave keys up: ${counted(letters.total, "dead letter")}`;
    case "errors":
      return `the functions at the source fail: ${counted(errors?.count ?? 0, "error")}, the last one: ${errors?.last ?? ""}`;
    case "waiting":
      return backlog.oldest === undefined ? keys : `${keys}, the oldest one for ${durationText(atMs - backlog.oldest.sinceMs)}`;
    case "unread":
      return `${unread.map((one) => UNREAD_TEXT[one]).join(" and ")} could not be read`;
    case "native":
      return "both sides can be reached; the store itself replicates, and status or verify compare the objects";
    case "across":
      return "nothing is waiting";
  }
}
