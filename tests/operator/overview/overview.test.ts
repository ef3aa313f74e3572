/** The reader behind the page and `watch --terminal`, on a bridge in memory. */
import type { CommandContext } from "../../../operator/command";
import type { LogLine } from "../../../operator/operated-bridge";
import { Overview, type Pace } from "../../../operator/overview/overview";
import { overviewText } from "../../../operator/overview/overview-text";
import type { Snapshot } from "../../../operator/overview/snapshot";
import { watchInTerminal } from "../../../operator/overview/terminal";
import { BridgeError } from "../../../runtime/stores/errors";
import { CLOCK, FakeBridge, pullRaw } from "../backfill/fixture";

const PACE: Pace = { everyMs: 2_000, slowEveryMs: 10_000 };

const line = (message: string, fields: Record<string, unknown>, atMs = CLOCK.now() - 1_000): LogLine => ({
  level: "info",
  ...{ message, fields, atMs },
});

/** Sleeps end when the test says so, and time passes only then. */
class Watching {
  nowMs = CLOCK.now();
  readonly ended = new AbortController();
  readonly overview: Overview;
  readonly snapshots: Snapshot[] = [];
  #asleep: (() => void) | undefined;
  #onSleep: (() => void) | undefined;

  constructor(readonly bridge: FakeBridge) {
    this.overview = new Overview({
      ...{ bridge, local: true, pace: PACE, now: () => this.nowMs, signal: this.ended.signal },
      sleep: (_ms, signal) =>
        new Promise<void>((resolve, reject) => {
          this.#asleep = resolve;
          signal.addEventListener("abort", () => reject(signal.reason as Error));
          if (signal.aborted) reject(signal.reason as Error);
          else this.#onSleep?.();
        }),
    });
  }

  subscribe() {
    return this.overview.subscribe((snapshot) => this.snapshots.push(snapshot));
  }

  /** Resolves once the reader waits for its next look. */
  asleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSleep = resolve;
    });
  }

  /** Lets the time of one pause pass, and resolves after the look. */
  async next(ms = PACE.everyMs): Promise<Snapshot> {
    this.nowMs += ms;
    const looked = this.asleep();
    this.#asleep?.();
    await looked;
    return this.last();
  }

  last(): Snapshot {
    return this.snapshots.at(-1) as Snapshot;
  }
}

async function watching(bridge = new FakeBridge(pullRaw())): Promise<Watching> {
  const one = new Watching(bridge);
  const looked = one.asleep();
  one.subscribe();
  await looked;
  return one;
}

/** A function of the bridge that counts its calls. */
function counted<T extends unknown[], R>(work: (...args: T) => R) {
  const called = { times: 0 };
  return {
    called,
    work: (...args: T): R => {
      called.times += 1;
      return work(...args);
    },
  };
}

test("nothing to tell: both sides are there, and nothing waits", async () => {
  const { overview, snapshots } = await watching();
  expect(snapshots).toHaveLength(1);
  expect(overview.snapshot).toMatchObject({
    ...{ stack: "dev", mode: "pull", local: true, troubles: [], notes: [], copies: [], recent: [] },
    source: { reachable: true, bucket: "from-here" },
    destination: { reachable: true, message: undefined },
    backlog: { queued: 0, held: 0, running: undefined, known: 0, complete: true, oldest: undefined },
    ...{ verdict: { id: "across", tone: "good" }, paused: false, unread: [], waiting: 0 },
    letters: { total: 0, complete: true },
  });
});

test("keys that wait are grouped with their remedy, and the oldest is named", async () => {
  const bridge = new FakeBridge(pullRaw());
  const denied = { place: "destination", store: "aws-cn:to-there", reason: "S3 answered put with AccessDenied (HTTP 403)" };
  bridge.queued = async () => 3;
  bridge.log = async () => ({
    lines: ["a", "b"].map((key, index) =>
      line("put back", {
        key,
        ...denied,
        failures: index + 1,
        firstSeenMs: CLOCK.now() - 60_000 * (index + 1),
        delaySeconds: 60,
      }),
    ),
    complete: true,
  });
  const last = { reason: "the receiver cannot be connected to", place: "border", atMs: CLOCK.now() } as const;
  bridge.held = async () => ({
    looks: [{ key: "c", failures: 0, firstSeenMs: CLOCK.now() - 7_200_000, last }],
    complete: false,
  });
  bridge.deadLetters = async () => ({
    letters: [
      { key: "d", reason: "too many tags", parkedAt: new Date(CLOCK.now() - 5_000) },
      { key: "e", reason: "too many tags", parkedAt: new Date(CLOCK.now()) },
    ],
    complete: true,
  });
  const snapshot = (await watching(bridge)).last();
  expect(snapshot.backlog).toEqual({
    ...{ queued: 3, held: 1, running: undefined, known: 3, complete: false },
    oldest: { key: "c", sinceMs: CLOCK.now() - 7_200_000 },
  });
  expect(snapshot.troubles.map(({ status, objects, remedy }) => [status, objects, remedy?.id])).toEqual([
    ["PENDING", 2, "denied"],
    ["FAILED", 2, "givenUp"],
    ["PENDING", 1, "unreachable"],
  ]);
  expect(snapshot.troubles[0]).toMatchObject({ failures: 2, nextTryMs: CLOCK.now() + 59_000, store: "aws-cn:to-there" });
  // The newest letter comes first.
  expect(snapshot.letters.listed.map(({ key }) => key)).toEqual(["e", "d"]);
  const text = overviewText(snapshot);
  expect(text).toContain("3 in the work queue, at least 1 held in the outage queue");
  expect(text).toContain("oldest        c, for 2 h");
  expect(text).toContain("PENDING       2 objects: destination aws-cn:to-there: S3 answered put with AccessDenied (HTTP 403)");
  expect(text).toContain("              npm start -- --redeploy --stack dev");
});

test("a destination that is gone: its side, why, and the way out; what the bridge says goes on", async () => {
  const bridge = new FakeBridge(pullRaw());
  bridge.to.list = () => {
    throw new BridgeError("NoSuchBucket", "list", "S3 answered list with NoSuchBucket (HTTP 404)");
  };
  const snapshot = (await watching(bridge)).last();
  expect(snapshot.source.reachable).toBe(true);
  expect(snapshot.destination).toMatchObject({
    reachable: false,
    message: expect.stringMatching(/^the destination bucket .*NoSuchBucket.*create it again/),
  });
  expect(overviewText(snapshot)).toMatch(/^destination {3}.* NOT REACHABLE: the destination bucket/m);
});

test("work and lag come from the source's metrics, and the last keys from both sides", async () => {
  const bridge = new FakeBridge(pullRaw());
  bridge.activity = async (side) => ({
    lines:
      side === "source"
        ? [line("metrics", { metrics: { LagMs: [1_000, 3_000], Replicated: 2, BytesMoved: [4, 5] } })]
        : [line("notice", { key: "k\u001b[2J", result: "replicated", bytesMoved: 2_048 })],
    complete: true,
  });
  const snapshot = (await watching(bridge)).last();
  expect(snapshot.flow).toMatchObject({ replicated: 2, bytes: 9, lag: { p50Ms: 2_000, maxMs: 3_000 } });
  const text = overviewText(snapshot);
  expect(text).toContain("lag           p50 2.0 s, p95 2.9 s, p99 3.0 s, max 3.0 s (2 keys)");
  // A key cannot write commands to the terminal.
  expect(text).toContain('replicated    "k\\u001b[2J"  (2.0 KiB, 1 s ago)');
});

test("dead letters and the outage queue are read seldom, because reading hides messages; a refresh reads them at once", async () => {
  const bridge = new FakeBridge(pullRaw());
  const letters = counted(bridge.deadLetters);
  const queued = counted(bridge.queued);
  Object.assign(bridge, { deadLetters: letters.work, queued: queued.work });
  const one = await watching(bridge);
  await one.next();
  await one.next();
  expect([letters.called.times, queued.called.times]).toEqual([1, 3]);
  await one.next(PACE.slowEveryMs);
  expect(letters.called.times).toBe(2);
  const looked = one.asleep();
  one.overview.refresh();
  await looked;
  expect([letters.called.times, queued.called.times]).toEqual([3, 5]);
});

test("viewers share one reader, which stops when the last one leaves, and begins again", async () => {
  const bridge = new FakeBridge(pullRaw());
  const queued = counted(bridge.queued);
  bridge.queued = queued.work;
  const one = new Watching(bridge);
  let looked = one.asleep();
  const leaveFirst = one.subscribe();
  await looked;
  const seen = one.snapshots.length;
  looked = one.asleep();
  const leaveSecond = one.subscribe();
  await looked;
  // The second viewer gets the newest snapshot at once, and both get the next one.
  expect(one.snapshots.length).toBe(seen + 3);
  leaveFirst();
  leaveSecond();
  const before = queued.called.times;
  one.ended.abort();
  expect(queued.called.times).toBe(before);
});

test("what cannot be read is a note, and the rest is shown", async () => {
  const bridge = new FakeBridge(pullRaw());
  const denied = (what: string) => Promise.reject(new BridgeError("PermissionDenied", "read", `${what} cannot be read`));
  bridge.deadLetters = () => denied("the dead-letter queue");
  bridge.activity = (side) => denied(`the log at the ${side}`);
  bridge.held = () => denied("the outage queue");
  const snapshot = (await watching(bridge)).last();
  expect(snapshot.notes).toEqual(
    expect.arrayContaining([
      "the dead-letter queue cannot be read",
      "the log at the source cannot be read",
      "the log at the destination cannot be read",
      "the outage queue cannot be read",
    ]),
  );
  expect(snapshot).toMatchObject({
    letters: { total: 0, complete: false },
    backlog: { complete: false },
    source: { reachable: true },
    ...{ verdict: { id: "unread", tone: "unknown" }, unread: ["letters", "outage", "log"] },
  });
});

test("a queue that was deleted is said first, with what that means and the command that mends it", async () => {
  const bridge = new FakeBridge(pullRaw());
  const gone = () => Promise.reject(new BridgeError("NotFound", "count", "the queue cannot be read: QueueDoesNotExist (400)"));
  Object.assign(bridge, { queued: gone, deadLetters: gone });
  const snapshot = (await watching(bridge)).last();
  expect(snapshot).toMatchObject({ verdict: { id: "gone", tone: "bad" }, notes: [] });
  const text = overviewText(snapshot);
  expect(text).toMatch(/^PROBLEM {7}the dead-letter queue is gone .*; the work queue is gone: no event of the source arrives$/m);
  expect(text).toContain("npm start -- --redeploy --stack dev && npm run bridge -- backfill --stack dev --local");
});

test("a paused bridge says so, and one whose ways cannot be read is not called paused", async () => {
  const bridge = new FakeBridge(pullRaw());
  let isOpen = false;
  bridge.ways = {
    read: async () => [
      { name: "the queue", isOpen: true },
      { name: "the tick", isOpen },
    ],
    set: async () => undefined,
  };
  const one = await watching(bridge);
  expect(one.last()).toMatchObject({ paused: true, verdict: { id: "paused", tone: "busy" } });
  isOpen = true;
  expect(await one.next(PACE.slowEveryMs)).toMatchObject({ paused: false, verdict: { id: "across" } });
  bridge.ways.read = () => Promise.reject(new BridgeError("PermissionDenied", "ways", "the ways cannot be read"));
  expect(await one.next(PACE.slowEveryMs)).toMatchObject({ paused: undefined, notes: ["the ways cannot be read"] });
});

test("a bug ends the reader with its error", async () => {
  const bridge = new FakeBridge(pullRaw());
  bridge.queued = () => Promise.reject(new TypeError("a bug"));
  const one = new Watching(bridge);
  one.subscribe();
  await expect(one.overview.failed).rejects.toThrow("a bug");
});

describe("watch --terminal", () => {
  async function watchOnce(options: { isTerminal: boolean; json?: boolean }): Promise<string> {
    const ended = new AbortController();
    const printed: string[] = [];
    const context: CommandContext = {
      ...{ bridge: new FakeBridge(pullRaw()), access: {} as CommandContext["access"], local: true },
      ...{ json: options.json === true, signal: ended.signal, note: () => undefined },
      print(text) {
        printed.push(text);
        ended.abort();
      },
    };
    expect(await watchInTerminal(context, { isTerminal: options.isTerminal, now: CLOCK.now })).toBe(0);
    return printed.join("");
  }

  test("replaces the text in a terminal, and only there", async () => {
    expect(await watchOnce({ isTerminal: true })).toContain("\u001b[H\u001b[2Jdev (pull)");
    expect(await watchOnce({ isTerminal: false })).toMatch(/^dev \(pull\)/);
  });

  test("says so where no look ends any more, and shows the last one", async () => {
    const ended = new AbortController();
    const bridge = new FakeBridge(pullRaw());
    let nowMs = CLOCK.now();
    const printed: string[] = [];
    const stale = new Promise<string>((resolve) => {
      const context = {
        ...{ bridge, local: true, json: false, signal: ended.signal },
        print(text: string) {
          printed.push(text);
          nowMs += 60_000;
          bridge.queued = () => new Promise(() => undefined);
          if (text.includes("NOT KNOWN")) resolve(text);
        },
      } as unknown as CommandContext;
      void watchInTerminal(context, { isTerminal: true, pace: { everyMs: 5, slowEveryMs: 5 }, now: () => nowMs });
    });
    expect(await stale).toMatch(/NOT KNOWN {5}the last look is 60 s old: .*\n\ndev \(pull\)/);
    ended.abort();
    expect(printed[0]).toContain("OK            nothing is waiting");
  });

  test("with --json each look is one line", async () => {
    expect(JSON.parse(await watchOnce({ isTerminal: true, json: true }))).toMatchObject({ stack: "dev", troubles: [] });
  });
});
