/**
 * The protocol in small: one key, its messages, senders and receiver attempts that write it at once. States are numbers: 0 is absent, n the
 * n-th write. Interleavings are all of them; crashes happen anywhere within a budget.
 */
import type { Model } from "./search";

export interface InlineOptions {
  writes: number;
  /** How often the source may be deleted as well as written; `writes` counts both. */
  deletes: boolean;
  crashes: number;
  conditionalWrites: boolean;
  /** The sender looks at the source again before it acknowledges. */
  reRead: boolean;
  /** A message is only seen again when the attempts made for it are over. */
  hardEnd: boolean;
}

/** A receiver's attempt to make the destination `wanted`. */
interface Attempt {
  at: "begun" | "looked" | "read" | "landed";
  wanted: number;
  /** The destination as it looked; for conditional writes. */
  seen: number;
}

/** A message, and the sender that works on it. */
interface Message {
  at: "waiting" | "snapped" | "asking" | "answered" | "proven";
  snapshot: number;
  attempt: Attempt | undefined;
  /** Attempts whose sender no longer waits for them: they may go on, or vanish. */
  orphans: Attempt[];
}

export interface InlineState {
  source: number;
  destination: number;
  written: number;
  crashes: number;
  messages: Message[];
  /** Orphans of messages that are gone. */
  strays: Attempt[];
}

const WAITING: Message = { at: "waiting", snapshot: 0, attempt: undefined, orphans: [] };

export function inlineModel(options: InlineOptions): Model<InlineState> {
  return {
    initial: { source: 0, destination: 0, written: 0, crashes: options.crashes, messages: [], strays: [] },
    *steps(state) {
      yield* writer(state, options);
      for (const message of state.messages) {
        yield* sender(state, message, options);
        if (message.attempt) yield* attemptOf(state, message, message.attempt, options);
        for (const orphan of message.orphans) {
          const keep = (next: Attempt | undefined): Message => ({ ...message, orphans: exchange(message.orphans, orphan, next) });
          for (const [label, next, destination] of advance(state, orphan, options))
            yield [
              `late attempt ${label}`,
              put({ ...state, destination }, message, keep(typeof next === "string" ? undefined : next)),
            ];
          yield ["late attempt ends", put(state, message, keep(undefined))];
        }
      }
      for (const stray of state.strays) {
        for (const [label, next, destination] of advance(state, stray, options))
          yield [
            `stray attempt ${label}`,
            { ...state, destination, strays: exchange(state.strays, stray, typeof next === "string" ? undefined : next) },
          ];
        yield ["stray attempt ends", { ...state, strays: exchange(state.strays, stray, undefined) }];
      }
    },
    name({ source, destination, written, crashes, messages, strays }) {
      return `${source} ${destination} ${written} ${crashes} ${messages.map(nameMessage).sort().join()} ${nameAttempts(strays)}`;
    },
    quiet: ({ messages, strays }) => messages.length === 0 && strays.length === 0,
    fault: ({ source, destination }) =>
      source === destination
        ? undefined
        : `everything is acknowledged, the source is ${word(source)}, the destination ${word(destination)}`,
  };
}

function* writer(state: InlineState, options: InlineOptions): Generator<[string, InlineState]> {
  if (state.written === options.writes) return;
  const written = state.written + 1;
  const messages = [...state.messages, WAITING];
  yield [`source writes ${word(written)}`, { ...state, written, source: written, messages }];
  if (options.deletes && state.source !== 0) yield ["source deletes", { ...state, written, source: 0, messages }];
}

function* sender(state: InlineState, message: Message, options: InlineOptions): Generator<[string, InlineState]> {
  const { at, snapshot, attempt, orphans } = message;
  switch (at) {
    case "waiting":
      if (options.hardEnd && orphans.length > 0) return;
      yield [`sender looks: ${word(state.source)}`, put(state, message, { ...message, at: "snapped", snapshot: state.source })];
      return;
    case "snapped":
      yield [
        `sender asks for ${word(snapshot)}`,
        put(state, message, { ...message, at: "asking", attempt: { at: "begun", wanted: snapshot, seen: 0 } }),
      ];
      break;
    case "answered": {
      const again = options.reRead && state.source !== snapshot;
      yield [
        again ? `sender looks again: ${word(state.source)} now, so once more` : "sender is content",
        put(state, message, again ? { ...WAITING, orphans } : { ...message, at: "proven" }),
      ];
      break;
    }
    case "proven": {
      const rest = exchange(state.messages, message, undefined);
      yield ["sender acknowledges", { ...state, messages: rest, strays: [...state.strays, ...orphans] }];
      break;
    }
    case "asking":
      break;
  }
  // A sender that crashes and a receiver whose answer gets lost leave the same behind.
  if (state.crashes > 0) {
    yield [
      `sender of ${word(snapshot)} crashes`,
      { ...put(state, message, { ...WAITING, orphans: attempt ? [...orphans, attempt] : orphans }), crashes: state.crashes - 1 },
    ];
  }
}

function* attemptOf(
  state: InlineState,
  message: Message,
  attempt: Attempt,
  options: InlineOptions,
): Generator<[string, InlineState]> {
  for (const [label, next, destination] of advance(state, attempt, options)) {
    const settled: Message =
      typeof next !== "string"
        ? { ...message, attempt: next }
        : next === "proven"
          ? { ...message, at: "answered", attempt: undefined }
          : { ...WAITING, orphans: message.orphans };
    yield [`attempt ${label}`, put({ ...state, destination }, message, settled)];
  }
}

/** One step of an attempt: what it does, what becomes of it, and the destination after it. */
function* advance(
  { source, destination }: InlineState,
  attempt: Attempt,
  { conditionalWrites }: InlineOptions,
): Generator<[string, Attempt | "proven" | "again", number]> {
  const { wanted, seen } = attempt;
  switch (attempt.at) {
    case "begun":
      if (destination === wanted) yield [`finds ${word(wanted)} there`, "proven", destination];
      else yield [`sees ${word(destination)} there`, { ...attempt, at: "looked", seen: destination }, destination];
      return;
    case "looked":
      if (source !== wanted) yield [`finds ${word(wanted)} superseded`, "again", destination];
      else yield [`reads ${word(wanted)}`, { ...attempt, at: "read" }, destination];
      return;
    case "read":
      if (conditionalWrites && destination !== seen) yield [`is refused its write of ${word(wanted)}`, "again", destination];
      else yield [`writes ${word(wanted)}`, { ...attempt, at: "landed", seen: 0 }, wanted];
      return;
    case "landed":
      if (destination === wanted) yield [`proves ${word(wanted)}`, "proven", destination];
      else yield [`finds ${word(destination)} after its write`, "again", destination];
  }
}

function put(state: InlineState, old: Message, message: Message): InlineState {
  return { ...state, messages: exchange(state.messages, old, message) };
}

function exchange<T>(list: readonly T[], old: T, next: T | undefined): T[] {
  return list.flatMap((one) => (one !== old ? [one] : next === undefined ? [] : [next]));
}

function nameMessage({ at, snapshot, attempt, orphans }: Message): string {
  return `${at}${snapshot}(${attempt === undefined ? "" : nameAttempt(attempt)})${nameAttempts(orphans)}`;
}

function nameAttempts(attempts: readonly Attempt[]): string {
  return attempts.length === 0 ? "" : attempts.map(nameAttempt).sort().join("+");
}

function nameAttempt({ at, wanted, seen }: Attempt): string {
  return `${at}${wanted}${seen}`;
}

function word(state: number): string {
  return state === 0 ? "absent" : `v${state}`;
}
