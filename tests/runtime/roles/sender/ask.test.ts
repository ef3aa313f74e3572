import { LIMITS, type Notice, type Receipt, type ReplicationRequest } from "../../../../runtime/protocol/messages";
import { ReceiverUnreachable } from "../../../../runtime/protocol/ports";
import { askReceiver } from "../../../../runtime/roles/sender/ask";
import { makeSnapshot } from "../../support/make-snapshot";

type Handle = (request: ReplicationRequest) => Receipt[];

function receiver(handle: Handle) {
  const requests: string[][] = [];
  return {
    requests,
    post: async (request: ReplicationRequest) => {
      requests.push(request.notices.map(({ key }) => key));
      return { version: 1 as const, receipts: handle(request) };
    },
  };
}

const notice = (key: string, urlCharacters = 20): Notice => ({
  key,
  url: "u".repeat(urlCharacters),
  state: "present",
  snapshot: makeSnapshot(),
});
const asked = (...keys: string[]) => keys.map((key) => ({ item: `item ${key}`, notice: notice(key) }));
const unchanged: Handle = ({ notices }) => notices.map(({ key }) => ({ key, result: "unchanged" }));
const fails = (options: { attemptMayRun: boolean; retryable: boolean }): Handle => {
  return () => {
    throw new ReceiverUnreachable("no answer", options);
  };
};

test("no notices: no request", async () => {
  const one = receiver(unchanged);
  expect(await askReceiver(one, "bridge", [])).toEqual([]);
  expect(one.requests).toEqual([]);
});

test("one request for all, every item with its own receipt", async () => {
  const one = receiver(({ notices }) => notices.map(({ key }) => ({ key, result: "retry", reason: `about ${key}` })));
  const answers = await askReceiver(one, "bridge", asked("a", "b", "c"));
  expect(one.requests).toEqual([["a", "b", "c"]]);
  expect(answers.map(([{ item }, answer]) => [item, answer])).toEqual(
    ["a", "b", "c"].map((key) => [`item ${key}`, { receipt: { key, result: "retry", reason: `about ${key}` } }]),
  );
});

test("the request names the bridge and the version", async () => {
  let seen: ReplicationRequest | undefined;
  await askReceiver(
    receiver((request) => {
      seen = request;
      return unchanged(request);
    }),
    "bridge",
    asked("a"),
  );
  expect(seen).toEqual({ version: 1, bridgeId: "bridge", notices: [notice("a")] });
});

test("more notices than a request may hold go into several", async () => {
  const one = receiver(unchanged);
  const keys = Array.from({ length: LIMITS.notices + 1 }, (_, index) => `k${index}`);
  expect(await askReceiver(one, "bridge", asked(...keys))).toHaveLength(keys.length);
  expect(one.requests.map((request) => request.length)).toEqual([LIMITS.notices, 1]);
});

test("more bytes than a request may hold go into several, each key in one of them", async () => {
  const one = receiver(unchanged);
  const big = Array.from({ length: 6 }, (_, index) => ({ item: index, notice: notice(`k${index}`, 600_000) }));
  expect(await askReceiver(one, "bridge", big)).toHaveLength(6);
  expect(one.requests).toEqual([
    ["k0", "k1", "k2"],
    ["k3", "k4", "k5"],
  ]);
});

test("a notice that is larger than a request should be is sent alone", async () => {
  const one = receiver(unchanged);
  const big = [
    { item: 0, notice: notice("a") },
    { item: 1, notice: notice("b", 3_000_000) },
    { item: 2, notice: notice("c") },
  ];
  await askReceiver(one, "bridge", big);
  expect(one.requests).toEqual([["a"], ["b"], ["c"]]);
});

test("an answer that lacks a key is no answer for that key", async () => {
  const answers = await askReceiver(
    receiver(() => [{ key: "a", result: "unchanged" }]),
    "bridge",
    asked("a", "b"),
  );
  expect(answers[1]?.[1]).toEqual({ reason: "the receiver's answer lacks this key", attemptMayRun: true, retryable: true });
});

test.each([true, false])(
  "unreachable (an attempt may run: %s): every key hears the same, nothing is split",
  async (attemptMayRun) => {
    const one = receiver(fails({ attemptMayRun, retryable: true }));
    const answers = await askReceiver(one, "bridge", asked("a", "b"));
    expect(one.requests).toEqual([["a", "b"]]);
    for (const [, answer] of answers) expect(answer).toEqual({ reason: "no answer", attemptMayRun, retryable: true });
  },
);

test("refused as a whole: split until only the bad one is refused", async () => {
  const one = receiver((request) =>
    request.notices.some(({ key }) => key === "bad")
      ? fails({ attemptMayRun: false, retryable: false })(request)
      : unchanged(request),
  );
  const answers = await askReceiver(one, "bridge", asked("a", "bad", "b", "c"));
  expect(one.requests).toEqual([["a", "bad", "b", "c"], ["a", "bad"], ["a"], ["bad"], ["b", "c"]]);
  expect(answers.map(([{ item }, answer]) => [item, "receipt" in answer ? answer.receipt.result : answer.reason])).toEqual([
    ["item a", "unchanged"],
    ["item bad", "no answer"],
    ["item b", "unchanged"],
    ["item c", "unchanged"],
  ]);
});

test("one failed request does not affect the others", async () => {
  const keys = Array.from({ length: LIMITS.notices + 1 }, (_, index) => `k${index}`);
  const one = receiver((request) =>
    request.notices.length === 1 ? unchanged(request) : fails({ attemptMayRun: true, retryable: true })(request),
  );
  const answers = await askReceiver(one, "bridge", asked(...keys));
  expect(answers.filter(([, answer]) => "receipt" in answer)).toHaveLength(1);
});

test("an error other than ReceiverUnreachable is thrown", async () => {
  const broken = receiver(() => {
    throw new TypeError("broken client");
  });
  await expect(askReceiver(broken, "bridge", asked("a"))).rejects.toThrow("broken client");
});
