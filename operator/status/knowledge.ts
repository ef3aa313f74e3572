/**
 * What the bridge itself says about keys that have not arrived: its dead letters, its outage queue, its log and its executions. Messages with
 * a delay cannot be read from a queue, so the log stands for the work queue.
 */
import { type LastReason, PLACES } from "../../runtime/protocol/ports";
import type { StoredLook } from "../../runtime/protocol/queue-messages";
import { isBridgeError } from "../../runtime/stores/errors";
import type { DeadLetters, FunctionLog, HeldLooks, LogLine, OperatedBridge, RunningExecutions } from "../operated-bridge";
import type { Known } from "../replication-status";
import { counted, grouped, plainText } from "../text";

const MAX_LETTERS = 10_000;
/** A sample: the receiver's outage is one reason for all of them. */
const MAX_HELD = 2_000;
const MAX_LINES = 20_000;
const MAX_EXECUTIONS = 2_000;

/** A key is put back for at most 15 minutes, so each one that waits in the work queue has a line within this time. */
export const LOG_WINDOW_MS = 20 * 60_000;

export interface Knowledge {
  letters: DeadLetters["letters"];
  known: ReadonlyMap<string, Known>;
  /** Messages of the work queue. Undefined if there is none, or if it cannot be read. */
  queued: number | undefined;
  /** Whether every key that the bridge has in hand is in `known`, apart from keys that it has not tried yet. */
  complete: boolean;
  /** Errors that name no key: the functions at the source themselves fail. */
  errors?: { count: number; last: string; lastMs: number } | undefined;
  /** Queues that somebody deleted, and what that means. */
  gone: string[];
  /** What could not be read, and what went wrong without a key, for the operator. */
  notes: string[];
}

const IS_GONE = {
  work: "the work queue is gone: no event of the source arrives",
  outage: "the outage queue is gone: the keys that it held are lost, and keys of the next outage too",
  letters: "the dead-letter queue is gone with its letters, and keys that are given up are lost",
} as const;

/**
 * Makes a function that awaits a read. Where the cloud refuses it, the error becomes a note, and the read has the other value.
 * @throws what the signal aborts with, and any error that is no BridgeError
 */
export function noteUnread(notes: string[], signal: AbortSignal) {
  return async <T>(work: Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      signal.throwIfAborted();
      if (!isBridgeError(error)) throw error;
      notes.push(error.message);
      return otherwise;
    }
  };
}

/** Dead letters that cannot be read are an error; anything else that cannot be read is a note. */
export async function readKnowledge(
  bridge: OperatedBridge,
  { nowMs, signal }: { nowMs: number; signal: AbortSignal },
): Promise<Knowledge> {
  const notes: string[] = [];
  const orNote = noteUnread(notes, signal);
  const gone: string[] = [];
  /** Resolves to the other value where the queue is gone. */
  const orGone = async <T>(queue: keyof typeof IS_GONE, work: Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (!isBridgeError(error, "NotFound")) throw error;
      gone.push(IS_GONE[queue]);
      return otherwise;
    }
  };
  const none = { looks: [], complete: false };
  const [parked, held, log, running, queued] = await Promise.all([
    orGone("letters", bridge.deadLetters({ limit: MAX_LETTERS, signal }), { letters: [], complete: false }),
    orNote<HeldLooks>(orGone("outage", bridge.held({ limit: MAX_HELD, signal }), none), none),
    orNote<FunctionLog>(bridge.log({ sinceMs: nowMs - LOG_WINDOW_MS, limit: MAX_LINES, signal }), UNREAD_LOG),
    orNote<RunningExecutions>(bridge.executions({ limit: MAX_EXECUTIONS, signal }), { executions: [], complete: false }),
    orNote(orGone("work", bridge.queued({ signal }), undefined), undefined),
  ]);
  if (notes.length > 0) notes.push("a key may wait for a reason that is not shown");
  const errors = errorsIn(log.lines);
  return {
    letters: parked.letters,
    known: merge(log.lines, held, running),
    queued,
    complete: parked.complete && held.complete && log.complete && running.complete && notes.length === 0,
    ...{ errors, gone },
    notes: [...notes, ...(gone.includes(IS_GONE.letters) ? [] : notesOnLetters(parked)), ...notesOnErrors(errors)],
  };
}

const UNREAD_LOG: FunctionLog = { lines: [], complete: false };

/** The newest line of each key; then what the outage queue and the executions hold at this moment. */
function merge(lines: readonly LogLine[], held: HeldLooks, { executions }: RunningExecutions): Map<string, Known> {
  const known = new Map<string, Known>();
  for (const line of lines) {
    const { key } = line.fields;
    const read = knownOfLine(line);
    if (typeof key === "string" && read !== undefined) known.set(key, { ...read, sinceMs: sinceOf(known.get(key), read) });
  }
  // A key that was held and is no longer in the queue went back to the work queue.
  if (held.complete) for (const [key, one] of known) if (one.state === "held") known.set(key, { ...one, state: "queued" });
  for (const look of held.looks) known.set(look.key, knownOfLook(look));
  for (const { key, startedMs } of executions) {
    const line = known.get(key);
    known.set(key, { failures: 0, waits: 0, atMs: startedMs, ...line, state: "runs", sinceMs: line?.sinceMs ?? startedMs });
  }
  return known;
}

const sinceOf = (earlier: Known | undefined, { sinceMs, atMs }: Known): number => sinceMs ?? earlier?.sinceMs ?? atMs;

function knownOfLine({ atMs, message, fields }: LogLine): Known | undefined {
  const { failures, waits, firstSeenMs, delaySeconds } = fields;
  const tries = { failures: numberOf(failures) ?? 0, waits: numberOf(waits) ?? 0, ...reasonOf(fields) };
  const sinceMs = numberOf(firstSeenMs);
  const delayMs = numberOf(delaySeconds);
  const nextTryMs = numberOf(fields.nextTryMs) ?? (delayMs === undefined ? undefined : atMs + delayMs * 1000);
  switch (message) {
    case "put back":
      return { state: "queued", atMs, sinceMs, nextTryMs, ...tries };
    case "held":
      return { state: "held", atMs, sinceMs, ...tries };
    case "parked":
      return { state: "parked", atMs, sinceMs, ...tries };
    default:
      return undefined;
  }
}

function knownOfLook({ failures, waits = 0, firstSeenMs, last }: StoredLook): Known {
  return { state: "held", atMs: last?.atMs ?? firstSeenMs ?? 0, sinceMs: firstSeenMs, failures, waits, ...reasonOf({ ...last }) };
}

function reasonOf(fields: Readonly<Record<string, unknown>>): Pick<Known, "reason" | "place" | "store"> {
  const { reason, store } = fields;
  return {
    reason: typeof reason === "string" ? reason : undefined,
    place: PLACES.find((place): place is LastReason["place"] => place === fields.place),
    store: typeof store === "string" ? store : undefined,
  };
}

const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

function notesOnLetters({ letters, complete }: DeadLetters): string[] {
  const unreadable = letters.filter(({ key }) => key === "");
  const [first] = unreadable;
  return [
    ...(first === undefined
      ? []
      : [`${counted(unreadable.length, "dead letter names", "dead letters name")} no key: ${plainText(first.reason)}`]),
    ...(complete
      ? []
      : [`not all dead letters were read, but ${grouped(letters.length)} of them: a key may be FAILED that is shown as PENDING`]),
  ];
}

/** Each message of a function that itself fails comes again. An outage shows in the held keys. */
function errorsIn(lines: readonly LogLine[]): Knowledge["errors"] {
  const errors = lines.filter(
    ({ level, message, fields }) => level === "error" && typeof fields.key !== "string" && message !== "breaker opened",
  );
  const last = errors.at(-1);
  if (last === undefined) return undefined;
  const { error } = last.fields;
  const why = typeof error === "object" && error !== null && "message" in error ? `: ${String(error.message)}` : "";
  return { count: errors.length, last: plainText(`${last.message}${why}`), lastMs: last.atMs };
}

function notesOnErrors(errors: Knowledge["errors"]): string[] {
  if (errors === undefined) return [];
  const { count, last } = errors;
  return [
    `the functions at the source logged ${counted(count, "error")} in the last ${LOG_WINDOW_MS / 60_000} minutes, the last one: ${last}`,
  ];
}
