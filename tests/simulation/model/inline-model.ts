/**
 * A small model of the protocol: one key, its messages, senders and receiver attempts. Objects are numbers: 0 is absent, n is the n-th
 * write. The search tries all interleavings. Crashes happen anywhere, up to a limit.
 */
import type { Model } from "./search";

export interface InlineOptions {
  writes: number;
  /** Whether the source may also be deleted. `writes` counts deletes as well. */
  deletes: boolean;
  crashes: number;
  conditionalWrites: boolean;
  /** The sender reads the source again before it acknowledges. */
  reRead: boolean;
  /** A message is delivered again only after its attempts have ended. */
  hardEnd: boolean;
}

/** A receiver's attempt to bring the destination to `wanted`. */
interface Attempt {
  at: "begun" | "looked" | "read" | "landed";
  wanted: number;
  /** The destination when the attempt read it. Conditional writes compare it. */
  seen: number;
}

/** A message, and the sender that works on it. */
interface Message {
  at: "waiting" | "snapped" | "asking" | "answered" | "proven";
  snapshot: number;
  attempt: Attempt | undefined;
  /** Attempts whose sender no longer waits. Each may continue or end at any time. */
  orphans: Attempt[];
}

export interface InlineState {
  source: number;
  destination: number;
  written: number;
  crashes: number;
  messages: Message[];
  /** Orphans of acknowledged messages. */
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
      yield [
        `sender reads the source: ${word(state.source)}`,
        put(state, message, { ...message, at: "snapped", snapshot: state.source }),
      ];
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
        again ? `sender reads the source again: ${word(state.source)}, so it starts over` : "sender finds the source unchanged",
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
  // A crashed sender and a lost answer of the receiver lead to the same state.
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

/** One step of an attempt: its label, the attempt after it, and the destination after it. */
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
