/** The state of a bridge in one line: what is green, and above all what is not. */
import { makeSnapshot, type Snapshot } from "../../../operator/overview/snapshot";
import { verdictOf, verdictText } from "../../../operator/overview/verdict";
import type { Known } from "../../../operator/replication-status";
import { CLOCK, FakeBridge, nativeRaw, pullRaw } from "../backfill/fixture";

const NOW = CLOCK.now();
type Gathered = Parameters<typeof makeSnapshot>[1];

const QUIET: Gathered = {
  ...{ nowMs: NOW, local: false, lost: [], lettersComplete: true, paused: false, logRead: true },
  knowledge: { letters: [], known: new Map(), queued: 0, notes: [], gone: [] },
  held: { count: 0, complete: true },
  running: { count: 0, complete: true },
  flow: { windowMs: 1, replicated: 0, unchanged: 0, deleted: 0, retried: 0, bytes: 0, minutes: [], complete: true },
  ...{ recent: [], copies: [], notes: [] },
};

function snapshotOf(changes: Partial<Gathered>, raw = pullRaw()): Snapshot {
  const bridge = new FakeBridge(raw);
  if (bridge.config.mode !== "native") bridge.outputs = { ...bridge.outputs, queueUrl: "https://sqs/queue" };
  return makeSnapshot(bridge, { ...QUIET, ...changes });
}

const knowing = (changes: Partial<Gathered["knowledge"]>): Partial<Gathered> => ({
  knowledge: { ...QUIET.knowledge, ...changes },
});
const LETTER = { key: "k", reason: "too many tags", parkedAt: undefined };
const waits = (changes: Partial<Known>, keys = ["k"]): Map<string, Known> =>
  new Map(
    keys.map((key) => [
      key,
      { state: "queued", atMs: NOW, sinceMs: NOW - 60_000, failures: 1, waits: 0, reason: "denied", ...changes },
    ]),
  );
const WAITS = waits({});
const OUTAGE = waits({ state: "held", failures: 0, place: "border", reason: "no answer" }, ["a", "b"]);
const errors = (lastMs: number) => knowing({ errors: { count: 2, last: "the function failed", lastMs } });

test.each<[string, Partial<Gathered>, string, string, RegExp]>([
  ["nothing waits, and everything was read", {}, "across", "good", /^nothing is waiting$/],
  ["a side is down", { lost: [{ side: "source", message: "m" }] }, "lost", "bad", /^the source cannot be reached$/],
  ["the other side is down", { lost: [{ side: "destination", message: "m" }] }, "lost", "bad", /^the destination cannot/],
  [
    "both sides are down",
    {
      lost: [
        { side: "source", message: "m" },
        { side: "destination", message: "m" },
      ],
    },
    ...(["lostBoth", "bad", /^neither side can be reached$/] as const),
  ],
  [
    "it is paused",
    { paused: true },
    "paused",
    "busy",
    /^the bridge is paused, and 0 keys wait; to go on: npm run bridge -- resume --stack dev$/,
  ],
  ["it is paused and has letters", { paused: true, ...knowing({ letters: [LETTER] }) }, "paused", "busy", /paused/],
  [
    "a queue is gone, and the bridge is paused",
    { paused: true, ...knowing({ gone: ["the work queue is gone: no event of the source arrives"] }) },
    ...(["gone", "bad", /^the work queue is gone: no event of the source arrives$/] as const),
  ],
  ["a letter", knowing({ letters: [LETTER] }), "letters", "bad", /1 dead letter$/],
  ["the functions fail", errors(NOW - 60_000), "errors", "bad", /2 errors, the last one: the function failed$/],
  ["the functions failed long ago", errors(NOW - 6 * 60_000), "across", "good", /^nothing/],
  ["messages in the queue", knowing({ queued: 3 }), "waiting", "busy", /^3 keys wait$/],
  ["held keys", { held: { count: 2, complete: true } }, "waiting", "busy", /^2 keys wait$/],
  [
    "a key that waits, and a queue that counts none",
    knowing({ known: WAITS }),
    "waiting",
    "busy",
    /^1 key waits, the oldest one for 60 s$/,
  ],
  [
    "a key that fails again",
    knowing({ known: waits({ failures: 2, place: "destination", store: "aws-cn:to-there" }) }),
    ...(["stuck", "bad", /^1 key does not get across: destination aws-cn:to-there: denied$/] as const),
  ],
  [
    "keys in an outage, and letters of earlier",
    { held: { count: 2, complete: true }, ...knowing({ known: OUTAGE, letters: [LETTER] }) },
    ...(["stuck", "bad", /^2 keys do not get across: between the sides: no answer$/] as const),
  ],
  [
    "a first failure that a person has to mend",
    knowing({ known: waits({ failures: 0, place: "border", reason: "answered 401: the signing secrets of both sides differ" }) }),
    ...(["stuck", "bad", /^1 key does not get across: between the sides: answered 401/] as const),
  ],
  [
    "a large copy that was begun again",
    knowing({ known: waits({ failures: 3, reason: "a copy is running" }) }),
    "waiting",
    "busy",
    /^1 key waits/,
  ],
  ["the letters were not read", { lettersComplete: false }, "unread", "unknown", /the dead letters could not be read$/],
  ["the queue was not read", knowing({ queued: undefined }), "unread", "unknown", /the work queue could not be read$/],
  ["the outage queue was not read", { held: { count: 0, complete: false } }, "unread", "unknown", /the outage queue/],
  ["the executions were not read", { running: { count: 0, complete: false } }, "unread", "unknown", /the executions/],
  ["the log was not read", { logRead: false }, "unread", "unknown", /the log of the functions/],
  ["the sides were not looked at", { lost: undefined }, "unread", "unknown", /the buckets/],
])("%s", (_what, changes, id, tone, text) => {
  const snapshot = snapshotOf(changes);
  expect(snapshot.verdict).toEqual({ id, tone });
  expect(verdictText(snapshot)).toMatch(text);
});

test("in mode native nothing tells of keys that wait, so a quiet bridge is not called green", () => {
  const snapshot = snapshotOf({ logRead: false, ...knowing({ queued: undefined }) }, nativeRaw());
  expect(snapshot).toMatchObject({ unread: [], verdict: { id: "native", tone: "unknown" } });
});

test("only a bridge without a queue may leave its count out", () => {
  const bridge = new FakeBridge(pullRaw());
  expect(makeSnapshot(bridge, { ...QUIET, ...knowing({ queued: undefined }) }).verdict.id).toBe("across");
});

test("the verdict follows from what the snapshot shows", () => {
  const snapshot = snapshotOf({});
  expect(verdictOf({ ...snapshot, waiting: 1 })).toEqual({ id: "waiting", tone: "busy" });
});
