import { LIMITS, type Notice, type Receipt, type ReplicationRequest } from "../../../../runtime/protocol/messages";
import { type ReceiverClient, ReceiverUnreachable } from "../../../../runtime/protocol/ports";
import { Breaker } from "../../../../runtime/replication/breaker";
import { type AskDeps, type Asked, askReceiver, LinkRate } from "../../../../runtime/roles/sender/ask";
import { VirtualTime } from "../../../support/virtual-time";
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
  tagsUrl: "t",
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

const deps = (receiverClient: ReceiverClient, changes: Partial<AskDeps> = {}): AskDeps => {
  const clock = new VirtualTime();
  const outage = { isEmpty: async () => true };
  return {
    receiver: receiverClient,
    config: { bridgeId: "bridge", receiverTimeoutSeconds: 29, inlineLimitBytes: 8 * 1024 ** 2 },
    clock,
    breaker: new Breaker({ outage, clock }),
    link: new LinkRate(),
    ...changes,
  };
};
const ask = <T>(receiverClient: ReceiverClient, items: Asked<T>[], changes?: Partial<AskDeps>) =>
  askReceiver(items, deps(receiverClient, changes));

test("no notices: no request", async () => {
  const one = receiver(unchanged);
  expect(await ask(one, [])).toEqual([]);
  expect(one.requests).toEqual([]);
});

test("one request for all, every item with its own receipt", async () => {
  const one = receiver(({ notices }) => notices.map(({ key }) => ({ key, result: "retry", reason: `about ${key}` })));
  const answers = await ask(one, asked("a", "b", "c"));
  expect(one.requests).toEqual([["a", "b", "c"]]);
  expect(answers.map(([{ item }, answer]) => [item, answer])).toEqual(
    ["a", "b", "c"].map((key) => [`item ${key}`, { receipt: { key, result: "retry", reason: `about ${key}` } }]),
  );
});

test("the request names the bridge and the version", async () => {
  let seen: ReplicationRequest | undefined;
  await ask(
    receiver((request) => {
      seen = request;
      return unchanged(request);
    }),
    asked("a"),
  );
  expect(seen).toEqual({ version: 1, bridgeId: "bridge", notices: [notice("a")] });
});

test("more notices than a request may hold go into several", async () => {
  const one = receiver(unchanged);
  const keys = Array.from({ length: LIMITS.notices + 1 }, (_, index) => `k${index}`);
  expect(await ask(one, asked(...keys))).toHaveLength(keys.length);
  expect(one.requests.map((request) => request.length)).toEqual([LIMITS.notices, 1]);
});

test("more bytes than a request may hold go into several, each key in one of them", async () => {
  const one = receiver(unchanged);
  const big = Array.from({ length: 6 }, (_, index) => ({ item: index, notice: notice(`k${index}`, 600_000) }));
  expect(await ask(one, big)).toHaveLength(6);
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
  await ask(one, big);
  expect(one.requests).toEqual([["a"], ["b"], ["c"]]);
});

test("an answer that lacks a key is no answer for that key", async () => {
  const answers = await ask(
    receiver(() => [{ key: "a", result: "unchanged" }]),
    asked("a", "b"),
  );
  expect(answers[1]?.[1]).toEqual({ reason: "the receiver's answer lacks this key", attemptMayRun: true, retryable: true });
});

test.each([true, false])(
  "unreachable (an attempt may run: %s): every key hears the same, nothing is split",
  async (attemptMayRun) => {
    const one = receiver(fails({ attemptMayRun, retryable: true }));
    const answers = await ask(one, asked("a", "b"));
    expect(one.requests).toEqual([["a", "b"]]);
    for (const [, answer] of answers)
      expect(answer).toEqual({ reason: "no answer", attemptMayRun, retryable: true, retryAfterSeconds: undefined });
  },
);

test("refused as a whole: split until only the bad one is refused", async () => {
  const one = receiver((request) =>
    request.notices.some(({ key }) => key === "bad")
      ? fails({ attemptMayRun: false, retryable: false })(request)
      : unchanged(request),
  );
  const answers = await ask(one, asked("a", "bad", "b", "c"));
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
  const answers = await ask(one, asked(...keys));
  expect(answers.filter(([, answer]) => "receipt" in answer)).toHaveLength(1);
});

test("an error other than ReceiverUnreachable is thrown", async () => {
  const broken = receiver(() => {
    throw new TypeError("broken client");
  });
  await expect(ask(broken, asked("a"))).rejects.toThrow("broken client");
});

describe("the breaker", () => {
  test("opens after three failed requests: none is sent after those on their way", async () => {
    const one = receiver(fails({ attemptMayRun: false, retryable: true }));
    const items = Array.from({ length: 5 * LIMITS.notices }, (_, index) => asked(`k${index}`)).flat();
    const answers = await ask(one, items);
    // Four were on their way together.
    expect(one.requests).toHaveLength(4);
    expect(answers).toHaveLength(items.length);
    expect(answers.at(-1)?.[1]).toMatchObject({ reason: "no answer", attemptMayRun: false });
  });

  test.each<[string, Handle]>([
    ["an answer", unchanged],
    [
      "throttling",
      () => {
        throw new ReceiverUnreachable("429", { attemptMayRun: false, retryable: true, throttled: true });
      },
    ],
    ["a refused notice", fails({ attemptMayRun: false, retryable: false })],
    [
      "a source that does not work",
      ({ notices }) => notices.map(({ key }) => ({ key, result: "waiting", waitsFor: "store", place: "source" })),
    ],
  ])("%s keeps it closed", async (_what, handle) => {
    const on = deps(receiver(handle));
    for (let times = 0; times < 4; times++) await askReceiver(asked("a"), on);
    expect(on.breaker.hasOpened).toBe(false);
  });

  test("a destination that does not work opens it", async () => {
    const on = deps(receiver(({ notices }) => notices.map(({ key }) => ({ key, result: "waiting", waitsFor: "store" }))));
    for (let times = 0; times < 3; times++) await askReceiver(asked("a"), on);
    expect(on.breaker.hasOpened).toBe(true);
  });
});

describe("the bytes of one request", () => {
  const sized = (key: string, sizeBytes: number, slow?: true) => ({
    item: key,
    notice: {
      key,
      url: "u",
      tagsUrl: "t",
      state: "present" as const,
      snapshot: makeSnapshot({ sizeBytes }),
      ...(slow ? { slow } : {}),
    },
  });
  const MIB = 1024 ** 2;

  test("stay within what the link moves in the receiver's time", async () => {
    const one = receiver(unchanged);
    // 2 MiB/s for 0.6 of 29 s are 34.8 MiB.
    await ask(
      one,
      ["a", "b", "c", "d", "e", "f"].map((key) => sized(key, 8 * MIB)),
    );
    expect(one.requests).toEqual([
      ["a", "b", "c", "d"],
      ["e", "f"],
    ]);
  });

  test("do not count what the copier moves", async () => {
    const one = receiver(unchanged);
    await ask(one, [
      sized("large", 500 * MIB),
      sized("slow", 8 * MIB, true),
      ...["a", "b", "c", "d"].map((key) => sized(key, 8 * MIB)),
    ]);
    expect(one.requests).toEqual([["large", "slow", "a", "b", "c", "d"]]);
  });

  describe("of objects above 8 MiB", () => {
    const config = { bridgeId: "bridge", receiverTimeoutSeconds: 29, inlineLimitBytes: 64 * MIB };
    /** The requests, with the keys that the copier is asked to copy in capitals. */
    async function requests(items: Asked<string>[], link: LinkRate, answer: Handle = unchanged): Promise<string[]> {
      const seen: string[] = [];
      const one = receiver((request) => {
        seen.push(
          request.notices
            .map((found) => (found.state === "present" && found.slow ? found.key.toUpperCase() : found.key))
            .join(""),
        );
        return answer(request);
      });
      await ask(one, items, { config, link });
      return seen;
    }
    const ALONE = { isSlow: false, isShared: false };
    const items = [sized("a", 60 * MIB), sized("b", 4 * MIB), sized("c", 20 * MIB), sized("d", 1)];

    test("the small ones are asked for first, and by themselves", async () => {
      expect(await requests(items, new LinkRate())).toEqual(["bd", "a", "c"]);
    });

    test("a link that carries them: the receiver copies them itself, several in a request", async () => {
      const link = new LinkRate();
      link.learn(100 * MIB, 1_000, ALONE);
      expect(await requests(items, link)).toEqual(["bd", "ac"]);
    });

    test("a slower link: the receiver copies what takes a third of a request, and the copier the rest", async () => {
      const link = new LinkRate();
      // 4 MiB/s: a request moves 70 MiB, and one object 23.
      link.learn(60 * MIB, 10_000, ALONE);
      expect(await requests(items, link)).toEqual(["bdA", "c"]);
    });

    test("the first object that is too slow is the last one that is tried", async () => {
      const tooSlow: Handle = ({ notices }) =>
        notices.map(({ key }) => ({ key, result: "waiting", waitsFor: "time", slow: true }));
      expect(
        await requests(
          items.filter(({ item }) => item !== "b" && item !== "d"),
          new LinkRate(),
          tooSlow,
        ),
      ).toEqual(["a", "C"]);
    });

    test("up to 8 MiB the receiver copies them over any link", async () => {
      const link = new LinkRate();
      for (let times = 0; times < 20; times++) link.learn(0, 27_000, { isSlow: true, isShared: false });
      expect(await requests([sized("a", 8 * MIB), sized("b", 8 * MIB + 1)], link)).toEqual(["a", "B"]);
    });
  });

  test("follow the link: an object that ran out of time halves them, fast answers raise them", () => {
    const link = new LinkRate();
    const slow = { isSlow: true, isShared: false };
    const first = link.budgetBytes(29);
    link.learn(0, 27_000, slow);
    expect(link.budgetBytes(29)).toBe(first / 2);
    link.learn(100 * MIB, 1_000, { isSlow: false, isShared: false });
    expect(link.budgetBytes(29)).toBeGreaterThan(10 * first);
    for (let times = 0; times < 100; times++) link.learn(0, 27_000, slow);
    expect(link.budgetBytes(29)).toBeGreaterThan(0);
  });

  test("are not lowered by a request that had the link together with others", () => {
    const link = new LinkRate();
    const first = link.budgetBytes(29);
    link.learn(1 * MIB, 1_000, { isSlow: false, isShared: true });
    expect(link.budgetBytes(29)).toBe(first);
    link.learn(1 * MIB, 1_000, { isSlow: false, isShared: false });
    expect(link.budgetBytes(29)).toBeLessThan(first);
  });
});

describe("several requests", () => {
  /** A receiver that answers when the test says so. */
  function held() {
    const requests: { keys: string[]; answer(): void }[] = [];
    const post = (request: ReplicationRequest) =>
      new Promise<{ version: 1; receipts: Receipt[] }>((resolve) => {
        const keys = request.notices.map(({ key }) => key);
        requests.push({ keys, answer: () => resolve({ version: 1, receipts: unchanged(request) }) });
      });
    return { requests, post };
  }
  const many = (count: number) => Array.from({ length: count }, (_, index) => asked(`k${index}`)).flat();
  const turn = () => new Promise(setImmediate);

  test("about many small objects are on their way together, four at most, and keep the order of the answers", async () => {
    const one = held();
    const asking = ask(one, many(5 * LIMITS.notices));
    await turn();
    expect(one.requests).toHaveLength(4);
    one.requests[3]?.answer();
    await turn();
    expect(one.requests).toHaveLength(5);
    for (const { answer } of one.requests) answer();
    expect((await asking).map(([{ item }]) => item)).toEqual(many(5 * LIMITS.notices).map(({ item }) => item));
  });

  test("follow one another where their bytes together are more than the link carries in the time of one", async () => {
    const one = held();
    const sizeBytes = 8 * 1024 ** 2;
    const items = many(6).map(({ item, notice: { key } }) => ({
      item,
      notice: { ...notice(key), snapshot: makeSnapshot({ sizeBytes }) },
    }));
    const asking = ask(one, items as Asked<string>[]);
    await turn();
    expect(one.requests.map(({ keys }) => keys.length)).toEqual([4]);
    one.requests[0]?.answer();
    await turn();
    expect(one.requests.map(({ keys }) => keys.length)).toEqual([4, 2]);
    one.requests[1]?.answer();
    expect(await asking).toHaveLength(6);
  });
});
