/**
 * A small model of long copies: one key with large and small objects, receivers that read the lease and the destination, and copiers that
 * outlive the receiver that started them.
 */
import {
  type Attempt,
  type Copier,
  isLarge,
  type Lease,
  type LeaseOptions,
  type LeaseState,
  type Message,
  nameCopier,
  nameLease,
  nameMessage,
  replaceAt,
  sight,
  WAITING,
  word,
} from "./lease-state";
import type { Model } from "./search";

type Step = [label: string, next: LeaseState];

export function leaseModel(options: LeaseOptions): Model<LeaseState> {
  return {
    initial: {
      source: 0,
      destination: 0,
      written: 0,
      crashes: options.crashes,
      lease: undefined,
      messages: [],
      copiers: [],
    },
    *steps(state) {
      yield* writer(state, options);
      for (const index of state.messages.keys()) yield* sender(state, index, options);
      for (const index of state.copiers.keys()) yield* copierSteps(state, index, options);
      yield* leaseEnds(state, options);
    },
    name({ source, destination, written, crashes, lease, messages, copiers }) {
      const held = nameLease(lease);
      return `${source} ${destination} ${written} ${crashes} ${held} ${messages.map(nameMessage).sort().join()} ${copiers.map(nameCopier).sort().join()}`;
    },
    quiet: ({ messages, copiers }) => messages.length === 0 && copiers.every(({ at }) => at === "launched"),
    fault: ({ source, destination }) =>
      source === destination
        ? undefined
        : `everything is acknowledged, the source is ${word(source)}, the destination ${word(destination)}`,
  };
}

function* writer(state: LeaseState, options: LeaseOptions): Generator<Step> {
  if (state.written === options.writes) return;
  const written = state.written + 1;
  const messages = [...state.messages, WAITING];
  for (const source of [2 * written - 1, 2 * written, 0]) {
    if (source === 0 && state.source === 0) continue;
    yield [`source becomes ${word(source)}`, { ...state, written, source, messages }];
  }
}

function* sender(state: LeaseState, index: number, options: LeaseOptions): Generator<Step> {
  const { at, snapshot, asked, attempt, orphans } = state.messages[index] as Message;
  const edit = (after: LeaseState, change: (message: Message) => Message): LeaseState => ({
    ...after,
    messages: replaceAt(after.messages, index, change(after.messages[index] as Message)),
  });
  for (const [nth, orphan] of orphans.entries()) {
    const becomes = (next: Attempt | undefined) => (message: Message) => ({
      ...message,
      orphans: replaceAt(message.orphans, nth, next),
    });
    for (const [label, next, after] of advance(state, orphan, options))
      yield [`late attempt ${label}`, edit(after, becomes(typeof next === "string" ? undefined : next))];
    yield ["late attempt ends", edit(state, becomes(undefined))];
  }
  if (at === "waiting") {
    if (orphans.length === 0)
      yield [
        `sender reads the source: ${word(state.source)}`,
        edit(state, (message) => ({ ...message, at: "snapped", snapshot: state.source })),
      ];
    return;
  }
  if (at === "snapped") {
    const readsLease = isLarge(snapshot) || options.leaseReadBy === "every" || (options.leaseReadBy === "asked" && asked);
    const begun: Attempt = { at: "begun", wanted: snapshot, seen: 0, held: undefined, current: true, readsLease };
    yield [`sender asks for ${word(snapshot)}`, edit(state, (message) => ({ ...message, at: "asking", attempt: begun }))];
  }
  if (at === "answered") {
    if (state.source !== snapshot)
      yield [
        `sender reads the source again: ${word(state.source)}, so it starts over`,
        edit(state, ({ asked, orphans }) => ({ ...WAITING, asked, orphans })),
      ];
    else
      yield [
        "sender finds the source unchanged, and acknowledges",
        { ...state, messages: replaceAt(state.messages, index, undefined) },
      ];
  }
  if (attempt !== undefined) {
    for (const [label, next, after] of advance(state, attempt, options)) {
      const settled = (message: Message): Message =>
        typeof next !== "string"
          ? { ...message, attempt: next }
          : next === "proven"
            ? { ...message, at: "answered", attempt: undefined }
            : { ...WAITING, asked: true, orphans: message.orphans };
      yield [`attempt ${label}`, edit(after, settled)];
    }
  }
  if (state.crashes > 0) {
    const left = {
      ...WAITING,
      asked: asked || options.marksRedelivered,
      orphans: attempt === undefined ? orphans : [...orphans, attempt],
    };
    yield [`sender of ${word(snapshot)} crashes`, { ...edit(state, () => left), crashes: state.crashes - 1 }];
  }
}

/** One step of a receiver's attempt: its label, the attempt after it, and the state after it. */
function* advance(
  state: LeaseState,
  attempt: Attempt,
  options: LeaseOptions,
): Generator<[string, Attempt | "proven" | "again", LeaseState]> {
  const { destination, source } = state;
  const { wanted, seen } = attempt;
  const look = { seen: destination };
  const ask = { held: state.lease, current: true };
  switch (attempt.at) {
    case "begun":
      if (!attempt.readsLease) yield [`sees ${word(destination)} there`, { ...attempt, ...look, at: "looked" }, state];
      else if (options.leaseFirst) yield [`sees ${sight(state.lease)}`, { ...attempt, ...ask, at: "half" }, state];
      else yield [`sees ${word(destination)} there`, { ...attempt, ...look, at: "half" }, state];
      return;
    case "half":
      if (options.leaseFirst) yield [`sees ${word(destination)} there`, { ...attempt, ...look, at: "looked" }, state];
      else yield [`sees ${sight(state.lease)}`, { ...attempt, ...ask, at: "looked" }, state];
      return;
    case "looked":
      yield decision(state, attempt, options);
      return;
    case "launching": {
      const copier: Copier = { at: "launched", wanted, seen: 0, owns: attempt.current, upload: true, dead: false };
      yield [`starts a copier of ${word(wanted)}`, "again", { ...state, copiers: [...state.copiers, copier] }];
      return;
    }
    case "clear":
      if (source !== wanted) yield [`finds ${word(wanted)} superseded`, "again", state];
      else yield [`reads ${word(wanted)}`, { ...attempt, at: "read" }, state];
      return;
    case "read":
      if (options.conditionalWrites && destination !== seen) yield [`is refused its write of ${word(wanted)}`, "again", state];
      else yield [`writes ${word(wanted)}`, { ...attempt, at: "landed", seen: 0 }, { ...state, destination: wanted }];
      return;
    case "landed":
      if (destination === wanted) yield [`proves ${word(wanted)}`, "proven", state];
      else yield [`finds ${word(destination)} after its write`, "again", state];
  }
}

function decision(
  state: LeaseState,
  attempt: Attempt,
  options: LeaseOptions,
): [string, Attempt | "proven" | "again", LeaseState] {
  const { wanted, seen, held, current } = attempt;
  if (held !== undefined && held.at !== "over" && options.respectLease) {
    if (held.wanted === wanted && !held.stop) return ["waits for the copier", "again", state];
    if (!options.stopMark || held.stop || !current) return ["waits for the older copier", "again", state];
    return ["marks the lease", "again", withLease(state, { ...held, stop: true }, "same")];
  }
  // A lease that another attempt has changed stays as it is.
  const cleared = held !== undefined && current ? takenOver(withLease(state, undefined, "other"), options) : state;
  if (seen === wanted) return [`finds ${word(wanted)} there`, "proven", cleared];
  const decided: Attempt = { ...attempt, held: undefined, current: true };
  if (!isLarge(wanted)) return [`will write ${word(wanted)}`, { ...decided, at: "clear" }, cleared];
  const free = held === undefined ? state.lease === undefined : current;
  if (!free) return ["finds the lease taken", "again", state];
  const leased = withLease(cleared, { at: "written", wanted, stop: false }, "other");
  return [`writes a lease for ${word(wanted)}`, { ...decided, at: "launching", seen: 0 }, leased];
}

function* copierSteps(state: LeaseState, index: number, options: LeaseOptions): Generator<Step> {
  const copier = state.copiers[index] as Copier;
  const { at, wanted, seen, owns, upload } = copier;
  const named = `copier of ${word(wanted)}`;
  const to = (next: Copier | undefined, after: LeaseState = state): LeaseState => ({
    ...after,
    copiers: replaceAt(after.copiers, index, next),
  });
  const ending: Copier = { ...copier, at: "ending", seen: 0 };
  if (at === "fenced") {
    const refused = !upload || (options.conditionalWrites && state.destination !== seen);
    const destination = refused ? state.destination : wanted;
    yield [
      `${named} ${refused ? "is refused its completion" : "completes"}`,
      to(copier.dead ? undefined : ending, { ...state, destination }),
    ];
  }
  if (copier.dead) {
    yield [`${named} is gone`, to(undefined)];
    return;
  }
  if (at === "launched") {
    const mine = owns && state.lease?.at === "written";
    if (!mine) yield [`${named} finds no lease of its own`, to(undefined)];
    else {
      const begun: Copier = { ...copier, at: "begun" };
      const taken = withLease(to(begun), { ...(state.lease as Lease), at: "taken" }, "same");
      yield [`${named} begins`, taken];
    }
  }
  if (at === "begun") {
    const current = state.source === wanted;
    yield [`${named} ${current ? "reads its parts" : "is superseded"}`, to(current ? { ...copier, at: "copied" } : ending)];
  }
  if (at === "copied")
    yield [`${named} sees ${word(state.destination)} there`, to({ ...copier, at: "looked", seen: state.destination })];
  if (at === "looked") {
    const current = !options.checkSource || state.source === wanted;
    yield [`${named} ${current ? "checks the source" : "is superseded"}`, to(current ? { ...copier, at: "checked" } : ending)];
  }
  if (at === "checked") {
    const held = owns && state.lease?.at === "taken" && !state.lease.stop;
    yield [`${named} ${held ? "checks its lease" : "is stopped"}`, to(held ? { ...copier, at: "fenced" } : ending)];
  }
  if (at === "ending") {
    const over = owns && state.lease !== undefined ? withLease(state, { ...state.lease, at: "over" }, "same") : state;
    yield [`${named} reports its end`, to(undefined, over)];
  }
  if (state.crashes > 0 && at !== "launched")
    yield [`${named} crashes`, { ...to({ ...copier, dead: true }), crashes: state.crashes - 1 }];
}

function* leaseEnds(state: LeaseState, options: LeaseOptions): Generator<Step> {
  const { lease } = state;
  if (lease === undefined || lease.at === "over") return;
  const over = withLease(state, { ...lease, at: "over" }, "same");
  const copier = state.copiers.find(({ owns }) => owns);
  const launching = state.messages.some(({ attempt, orphans }) =>
    [...orphans, ...(attempt ? [attempt] : [])].some((one) => one.at === "launching" && one.current),
  );
  if (launching) return;
  if (copier === undefined) yield ["the lease runs out", over];
  // The copier starts too late. If leases may end before their copier, the lease may also end during the copy.
  else if (state.crashes > 0 && (copier.at === "launched" || !options.leaseOutlastsCopier))
    yield [`the lease runs out before its copier`, { ...over, crashes: state.crashes - 1 }];
}

/** Sets the lease. All other attempts then hold outdated knowledge of it. Another lease also takes ownership from its copier. */
function withLease(state: LeaseState, lease: Lease | undefined, whose: "same" | "other"): LeaseState {
  const outdated = (attempt: Attempt): Attempt =>
    attempt.at === "launching" && whose === "same" ? attempt : attempt.current ? { ...attempt, current: false } : attempt;
  return {
    ...state,
    lease,
    messages: state.messages.map((message) => ({
      ...message,
      attempt: message.attempt && outdated(message.attempt),
      orphans: message.orphans.map(outdated),
    })),
    copiers: whose === "same" ? state.copiers : state.copiers.map((copier) => ({ ...copier, owns: false })),
  };
}

function takenOver(state: LeaseState, options: LeaseOptions): LeaseState {
  return options.fenceUpload ? { ...state, copiers: state.copiers.map((copier) => ({ ...copier, upload: false })) } : state;
}
