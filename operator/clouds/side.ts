/** Shared by the modules of both clouds: the side that they open, failures of functions, and the reading of dead letters. */
import { decodeText } from "../../runtime/protocol/events";
import { at, parseText, textAt } from "../../runtime/protocol/json";
import { decodeLook } from "../../runtime/protocol/queue-messages";
import { BridgeError } from "../../runtime/stores/errors";
import type {
  DeadLetters,
  EventWays,
  FunctionInvoker,
  FunctionLog,
  HeldLooks,
  LogLine,
  OperatedSide,
  ParkedKey,
  ReadOptions,
  Redriven,
  RedriveOptions,
  RunningExecutions,
} from "../operated-bridge";

/** One side of a bridge, opened by its cloud's module. */
export interface CloudSide {
  store: OperatedSide["store"];
  functions: FunctionInvoker;
  /** Reads the queue and leaves every message in it. */
  deadLetters(queueUrl: string, options: ReadOptions): Promise<DeadLetters>;
  /** Passes the selected letters to `hand`, the text of a message each, and then removes them. */
  redrive(queueUrl: string, options: RedriveOptions, hand: (letters: readonly string[]) => Promise<void>): Promise<Redriven>;
  /** Reads an outage queue and leaves every message in it. */
  held(queueUrl: string, options: ReadOptions): Promise<HeldLooks>;
  /** The messages of a queue: ready, delayed or received. */
  queued(queueUrl: string, options: { signal?: AbortSignal | undefined }): Promise<number>;
  /** The lines of a function that belong to the topic. */
  log(functionName: string, options: ReadLogOptions): Promise<FunctionLog>;
  /** Every line of a function that names this key. */
  keyLog(functionName: string, key: string, options: ReadOptions & { sinceMs: number }): Promise<FunctionLog>;
  ways(source: SourceWays): EventWays;
  /** Absent if the cloud has no workflows. */
  executions?(flowName: string, options: ReadOptions): Promise<RunningExecutions>;
  /** Resolves once these messages are stored in the work queue, as they are. Absent as `enqueue` is. */
  send?(queueUrl: string, messages: readonly string[], options: { signal?: AbortSignal | undefined }): Promise<void>;
  /** Resolves once an event for each key is stored in the work queue. Absent if the cloud's bridges have no work queue. */
  enqueue?(
    queueUrl: string,
    keys: readonly string[],
    options: { nowMs: number; signal?: AbortSignal | undefined },
  ): Promise<void>;
  close(): Promise<void>;
}

/** The settings that decide how events reach a bridge. */
export interface SourceWays {
  /** The functions that events and the timer start. In AWS the sender alone. */
  functionNames: readonly string[];
  /** The rule of the tick. */
  tickRule: string;
  /** Whether the bucket invokes the sender itself. */
  isDirect: boolean;
}

export interface ReadLogOptions extends ReadOptions {
  sinceMs: number;
  /** @default WAITING */
  topic?: LogTopic | undefined;
  /** Every line that names this key, whatever the topic. */
  key?: string | undefined;
}

/** The settings that a store is opened with. */
export interface StoreOfSide {
  bucket: string;
  versioning?: boolean | undefined;
  storageClass?: string | undefined;
  kmsKeyArn?: string | undefined;
  kmsKeyId?: string | undefined;
  /** The domain that is bound to a bucket of OSS. */
  customDomain?: string | undefined;
  /** The project of Simple Log Service that the functions write to. */
  logProject?: string | undefined;
}

/** Which lines of a log are read. */
export interface LogTopic {
  messages: readonly string[];
  /** The lines of the level error as well. */
  errors: boolean;
  /** The lines with metrics as well, as lines with the message `metrics`. */
  metrics: boolean;
}

/** Lines about keys that have not arrived, which the sender and the pusher write, and errors. */
export const WAITING: LogTopic = { messages: ["put back", "held", "parked"], errors: true, metrics: false };

/** Lines about keys and copies that were worked on, and metrics. */
export const ACTIVITY: LogTopic = { messages: ["notice", "step done", "copy begins", "copy ends"], errors: false, metrics: true };

const METRICS = "metrics";

export const isOfTopic =
  ({ messages, errors, metrics }: LogTopic) =>
  ({ message, level }: Pick<LogLine, "message" | "level">): boolean =>
    messages.includes(message) || (errors && level === "error") || (metrics && message === METRICS);

/** Whether a line names the key. */
export const isAbout =
  (key: string) =>
  ({ fields }: Pick<LogLine, "fields">): boolean =>
    fields.key === key;

/** Begins a line of the log, or one in CloudWatch's embedded metric format. */
const LINE_START = /\{"(?:level|_aws)"/;

/** The structured lines in a text that a platform stored. It may hold several lines, each with the platform's own words before it. */
export function readLines(text: string): LogLine[] {
  return text.split("\n").flatMap((line) => {
    const start = line.search(LINE_START);
    const parsed = start < 0 ? undefined : parseText(line.slice(start))?.value;
    const metrics = at(parsed, "_aws");
    if (metrics !== undefined) return metricLine(metrics, parsed as Record<string, unknown>);
    const atMs = Date.parse(textAt(parsed, "time") ?? "");
    if (Number.isNaN(atMs)) return [];
    const [level = "", message = ""] = [textAt(parsed, "level"), textAt(parsed, "message")];
    return [{ atMs, level, message, fields: parsed as Record<string, unknown> }];
  });
}

/** A line of embedded metrics as a function of Alibaba Cloud logs metrics: `{"message":"metrics","metrics":{…}}`. A value may be a list. */
function metricLine(metrics: unknown, { _aws: _metadata, ...values }: Record<string, unknown>): LogLine[] {
  const atMs = at(metrics, "Timestamp");
  return typeof atMs === "number" ? [{ atMs, level: "info", message: METRICS, fields: { metrics: values } }] : [];
}

/** The error for a function that failed. */
export function functionFailed(functionName: string, reason: string | undefined): BridgeError {
  const why = reason ?? "it does not say why; its log does";
  return new BridgeError("Unexpected", "invoke", `the function ${functionName} failed: ${why}`);
}

/** Both platforms answer `{"errorMessage","errorType","stackTrace"}` for a function that failed. */
export const errorMessageIn = (answer: unknown): string | undefined => textAt(answer, "errorMessage");

export function notJson(functionName: string): BridgeError {
  return new BridgeError("Unexpected", "invoke", `the function ${functionName} answered no JSON`);
}

/** A message of a dead-letter queue, written by the bridge, or by the platform after the function failed. */
export interface DeadLetterMessage {
  body: string;
  /** From the message's attributes, as are the next two. Absent if the queue has none. */
  key?: string | undefined;
  reason?: string | undefined;
  parkedAt?: string | undefined;
  /** When the queue stored it. */
  storedAt?: Date | undefined;
}

const GIVEN_UP = "the platform gave the event up; the function's log says why";

/** One entry for each key of the message; one with an empty key if no key can be read. */
export function keysOfDeadLetter(letter: DeadLetterMessage): ParkedKey[] {
  const body = parseText(letter.body)?.value;
  const written = at(body, "deadLetter");
  const reason = letter.reason ?? textAt(written, "reason") ?? platformReason(body) ?? GIVEN_UP;
  const parkedAt = dateOf(letter.parkedAt ?? textAt(written, "parkedAt")) ?? letter.storedAt;
  const keys = letter.key === undefined ? keysIn(letter.body) : [letter.key];
  return (keys.length === 0 ? [""] : keys).map((key) => ({ key, reason, parkedAt }));
}

/**
 * Receives until the queue is empty, repeats itself, or `limit` messages were received. Adds them to `seen` at once, so that the caller
 * can return them to the queue also after a failure.
 * @returns whether the queue's last answer was empty
 */
export async function receiveAll<M>(
  seen: Map<string, M>,
  { receive, idOf, limit }: { receive(): Promise<readonly M[]>; idOf(message: M): string; limit: number },
): Promise<boolean> {
  while (seen.size < limit) {
    const messages = await receive();
    if (messages.length === 0) return true;
    const hasNew = messages.some((message) => !seen.has(idOf(message)));
    for (const message of messages) seen.set(idOf(message), message);
    // Messages become visible again while this reads: without this end it might never stop.
    if (!hasNew) return false;
  }
  return false;
}

/** The looks in the bodies of messages. A body that is no look is left out. */
export function heldLooks(bodies: readonly string[], { limit, sawAll }: { limit: number; sawAll: boolean }): HeldLooks {
  const looks = bodies.flatMap((body) => {
    try {
      return [decodeLook(body)];
    } catch {
      return [];
    }
  });
  return { looks: looks.slice(0, limit), complete: sawAll && bodies.length <= limit };
}

/** @param sawAll whether the queue's last answer was empty */
export function deadLetters(found: readonly ParkedKey[], { limit, sawAll }: { limit: number; sawAll: boolean }): DeadLetters {
  return { letters: found.slice(0, limit), complete: sawAll && found.length <= limit };
}

function keysIn(body: string): string[] {
  return [...new Set(decodeText(body).flatMap(({ looks }) => looks.map(({ key }) => key)))];
}

/**
 * The record of a failed asynchronous invocation: Lambda keeps the answer as JSON, Function Compute as text.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
function platformReason(body: unknown): string | undefined {
  const answer = at(body, "responsePayload");
  const reason = errorMessageIn(typeof answer === "string" ? parseText(answer)?.value : answer);
  return reason ?? textAt(at(body, "requestContext"), "condition");
}

function dateOf(text: string | undefined): Date | undefined {
  const date = text === undefined ? undefined : new Date(text);
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
}

/** A message of a dead-letter queue in the hand of this reader: nobody else gets it for a while. */
export interface TakenLetter {
  id: string;
  /** As it is handed to the bridge. */
  text: string;
  letters: ParkedKey[];
}

export interface LetterQueue<L extends TakenLetter> {
  /** Resolves to an empty list if the queue has no visible message. */
  receive(): Promise<readonly L[]>;
  remove(letters: readonly L[]): Promise<void>;
  /** Makes messages visible again. Takes no signal: this happens after an interruption too. */
  giveBack(letters: readonly L[]): Promise<void>;
}

/**
 * Redrives a queue once through. A message that was seen before is not handled again, nor is a key that was handed over and given up
 * again meanwhile: a bridge that refuses a key at once would get it for ever.
 */
export async function redriveQueue<L extends TakenLetter>(
  queue: LetterQueue<L>,
  { select, limit, onProgress, signal, now = Date.now }: RedriveOptions & { now?: (() => number) | undefined },
  hand: (letters: readonly string[]) => Promise<void>,
): Promise<Redriven> {
  const seen = new Set<string>();
  const handed = new HandedKeys();
  const kept = new Map<string, L>();
  const redriven: Redriven = { handed: 0, left: 0, complete: false };
  try {
    while (redriven.handed < limit) {
      signal?.throwIfAborted();
      const received = await queue.receive();
      for (const letter of received) kept.set(letter.id, letter);
      const fresh = received.filter(({ id }) => !seen.has(id));
      for (const { id } of fresh) seen.add(id);
      redriven.complete = received.length === 0;
      // Without an end at repeated messages this might never stop.
      if (fresh.length === 0) break;
      const selected = fresh.filter(({ letters }) => select(letters));
      const first = selected.filter(({ letters }) => !handed.areBack(letters));
      const chosen = first.slice(0, limit - redriven.handed);
      redriven.left += fresh.length - first.length;
      if (selected.length > first.length) redriven.again = (redriven.again ?? 0) + selected.length - first.length;
      if (chosen.length > 0) {
        for (const { letters } of chosen) handed.add(letters, now());
        await hand(chosen.map(({ text }) => text));
        await queue.remove(chosen);
        for (const { id } of chosen) kept.delete(id);
        redriven.handed += chosen.length;
      }
      onProgress({ ...redriven });
    }
  } finally {
    await queue.giveBack([...kept.values()]);
  }
  return redriven;
}

/** The keys of a redrive, each with the time at which it was handed over first. */
class HandedKeys {
  readonly #firstMs = new Map<string, number>();

  add(letters: readonly ParkedKey[], atMs: number): void {
    for (const { key } of letters) if (!this.#firstMs.has(key)) this.#firstMs.set(key, atMs);
  }

  /** Whether all of these keys were handed over before they were parked. Older letters of the same keys were not. */
  areBack(letters: readonly ParkedKey[]): boolean {
    return letters.every(({ key, parkedAt }) => {
      const handedMs = this.#firstMs.get(key);
      return handedMs !== undefined && (parkedAt === undefined || parkedAt.getTime() >= handedMs);
    });
  }
}
