/** Faults between the two sides: no object is lost, none is written twice, and a key that cannot be replicated is parked with its reason. */
import { inBatches } from "./support/batches";
import { eventually } from "./support/eventually";
import { readLog } from "./support/logs";
import { converged, listKeys, put, sha256, versions } from "./support/objects";
import { heldKeys, sendMessage, settled, takeDeadLetters } from "./support/queues";
import { proxyReceiver, START_MS, startTestStack, type TestStack, testOn } from "./support/stack";
import type { TlsProxy, Treatment } from "./support/tls-proxy";
import { treatOnce } from "./support/treat-once";
import { killWorkers } from "./support/workers";

const PREFIX = "replica/";
/** The sender waits 7 s for the receiver, and the visibility timeout is 23 s. Both follow from these values. */
const TIMEOUTS = { senderSeconds: 9, receiverSeconds: 5 };
/** A key that a probe could not carry is hidden for a minute in the outage queue. */
const ARRIVE_MS = 100_000;

let stack: TestStack | undefined;
let receiver: TlsProxy;
let endOfTests: () => void = () => {};
const untilTheEnd = new Promise<void>((resolve) => {
  endOfTests = resolve;
});
const onStack = testOn(() => stack);

beforeAll(async () => {
  stack = await startTestStack({
    persist: true,
    // A tick every 3 s.
    scheduleMinuteMs: 3_000,
    settings: {
      "crossborderbridge:destination": { cloud: "aws-cn", region: "cn-north-1", bucket: "bridge-dev-china", prefix: PREFIX },
      "crossborderbridge:timeouts": TIMEOUTS,
    },
  });
  receiver = await proxyReceiver(stack);
}, START_MS);

afterAll(async () => {
  endOfTests();
  await stack?.stop();
  await receiver?.close();
});

/**
 * Waits until the sender has put the key back with this reason, or held it because the receiver is down. After several faults in a row the key is
 * in the outage queue already, and the tick meets its fault.
 */
async function putBack(running: TestStack, key: string, reason: RegExp): Promise<void> {
  const { local, source } = running;
  await eventually(
    async () => {
      // The emulator returns late log lines only with the worker's next run. The test event starts a run that does nothing.
      await sendMessage(running, '{"Event":"s3:TestEvent"}');
      const log = await readLog(source.cloud, local.outputs.senderFunctionName);
      const reasons = log
        .filter(
          ({ key: of, message }) => (of === key && ["put back", "held"].includes(message)) || message === "breaker stays open",
        )
        .map((line) => line.reason);
      expect(reasons).toContainEqual(expect.stringMatching(reason));
    },
    { deadlineMs: 15_000, what: `the sender's log has the reason why ${key} was put back` },
  );
}

async function expectWrittenOnce(running: TestStack, key: string): Promise<void> {
  await converged(running, key, ARRIVE_MS);
  expect([key, await versions(running.destination, key)]).toEqual([key, [sha256(bodyOf(key))]]);
}

const bodyOf = (key: string) => `the body of ${key}`;

describe("a receiver that", () => {
  const FAULTS: readonly [what: string, key: string, treatment: Treatment, reason: RegExp][] = [
    ["answers too late", "slow", { kind: "hold", until: untilTheEnd }, /did not answer within 7000 ms/],
    ["breaks its answer", "half", { kind: "cut", afterBytes: 20 }, /connection to the receiver broke/],
    ["resets the connection", "hangs-up", { kind: "reset" }, /connection to the receiver broke/],
    ["fails", "fails", { kind: "answer", status: 502, body: '{"message":"Internal server error"}' }, /answered 502/],
    ["answers something else", "page", { kind: "answer", status: 200, body: "<html>" }, /is not whole JSON/],
    [
      "answers for another key",
      "other-key",
      { kind: "answer", status: 200, body: '{"version":1,"receipts":[{"key":"another","result":"replicated"}]}' },
      /holds receipts of other keys/,
    ],
    [
      "throttles",
      "throttled",
      { kind: "answer", status: 429, body: '{"message":"Too Many Requests"}' },
      /answered 429: .*rate limit/,
    ],
    [
      "does not accept the signature",
      "refused",
      { kind: "answer", status: 401, body: '{"error":{"code":"bad-signature","message":"The signature does not fit."}}' },
      /answered 401: the signing secrets of sender and receiver differ/,
    ],
    [
      "is forbidden by the platform",
      "forbidden",
      { kind: "answer", status: 403, body: '{"message":null}' },
      /answered 403: .*ICP licence/,
    ],
  ];

  // Each waits for the sender's timeouts, so all wait together.
  beforeAll(async () => {
    if (stack === undefined) return;
    for (const [, key, treatment] of FAULTS) {
      const treated = treatOnce(
        receiver,
        ({ body }) => body.includes(JSON.stringify(key)),
        () => treatment,
      );
      await put(stack.source, key, bodyOf(key));
      await treated;
    }
  });

  for (const [what, key, , reason] of FAULTS) {
    onStack(`${what}: the object arrives once, and the sender's log has the reason of the delay`, async (running) => {
      await expectWrittenOnce(running, key);
      await putBack(running, key, reason);
    });
  }

  onStack("cannot be connected to: the object arrives when the receiver is back", async (running) => {
    await receiver.refuse();
    try {
      await put(running.source, "down", bodyOf("down"));
      await putBack(running, "down", /^the receiver cannot be connected to$/);
    } finally {
      await receiver.listen();
    }
    await expectWrittenOnce(running, "down");
  });

  onStack("is down: keys wait in the outage queue, and go on by themselves when it is back", async (running) => {
    const keys = Array.from({ length: 25 }, (_, index) => `outage/${index}`);
    await receiver.refuse();
    const before = receiver.exchanges.length;
    try {
      await inBatches(keys, 5, (key) => put(running.source, key, bodyOf(key)));
      // An event that comes twice is held twice.
      await eventually(async () => expect(await heldKeys(running)).toBeGreaterThanOrEqual(keys.length), {
        deadlineMs: ARRIVE_MS,
        what: "all keys wait in the outage queue",
      });
      expect(receiver.exchanges).toHaveLength(before);
    } finally {
      await receiver.listen();
    }
    for (const key of keys) await expectWrittenOnce(running, key);
    await settled(running, ARRIVE_MS);
  });

  onStack("had any of these faults: nothing is parked", async (running) => {
    await settled(running, ARRIVE_MS);
    expect(await takeDeadLetters(running)).toEqual([]);
  });
});

describe("a permanent failure is parked:", () => {
  async function parked(running: TestStack) {
    return await eventually(
      async () => {
        const letters = await takeDeadLetters(running);
        expect(letters).not.toEqual([]);
        return letters;
      },
      { deadlineMs: 15_000, what: "a dead letter is there" },
    );
  }

  onStack("a key that is too long with the destination's prefix", async (running) => {
    const key = "é".repeat(510);
    await put(running.source, key, "too long");
    const [letter, ...others] = await parked(running);
    expect(letter).toMatchObject({
      key,
      reason: expect.stringContaining("the destination key would have 1028 bytes, the store allows 1024"),
    });
    expect(JSON.parse(letter?.body ?? "")).toMatchObject({ look: { version: 2, key } });
    expect(others).toEqual([]);
    await settled(running);
  });

  onStack("a message that cannot be read", async (running) => {
    await sendMessage(running, "no JSON at all");
    expect(await parked(running)).toEqual([
      expect.objectContaining({ reason: 'the message is not JSON: "no JSON at all"', key: "" }),
    ]);
    await settled(running);
  });

  onStack("an event of another bucket", async (running) => {
    const s3 = { bucket: { name: "another" }, object: { key: "a%2Bb" } };
    await sendMessage(running, JSON.stringify({ Records: [{ eventSource: "aws:s3", eventName: "ObjectCreated:Put", s3 }] }));
    expect(await parked(running)).toEqual([
      expect.objectContaining({ reason: expect.stringContaining("the event is of bucket another"), key: "a+b" }),
    ]);
    await settled(running);
  });
});

describe("a crash of", () => {
  async function putMany({ source }: TestStack, name: string, count: number): Promise<string[]> {
    const keys = Array.from({ length: count }, (_, index) => `${name}/${index}`);
    await inBatches(keys, 20, (key) => put(source, key, bodyOf(key)));
    return keys;
  }

  async function waitForArrivals({ destination }: TestStack, name: string, count: number): Promise<void> {
    await eventually(
      async () => expect((await listKeys(destination, `${PREFIX}${name}/`)).length).toBeGreaterThanOrEqual(count),
      { deadlineMs: 60_000, what: `${count} objects have arrived` },
    );
  }

  async function allArrive(running: TestStack, keys: readonly string[]): Promise<void> {
    await settled(running, 2 * ARRIVE_MS);
    await inBatches(keys, 10, (key) => expectWrittenOnce(running, key));
    expect(await takeDeadLetters(running)).toEqual([]);
  }

  onStack("every sender and every receiver during 100 copies: all objects arrive, each once", async (running) => {
    const { source, destination, local } = running;
    const all = putMany(running, "workers", 100);
    await waitForArrivals(running, "workers", 5);
    const killed = [
      await killWorkers(source.cloud, local.outputs.senderFunctionName),
      await killWorkers(destination.cloud, local.outputs.receiverFunctionName),
    ];
    expect(Math.min(...killed)).toBeGreaterThan(0);
    await allArrive(running, await all);
  });

  onStack("the whole destination cloud: objects that are put meanwhile arrive after it is back", async (running) => {
    const { cloud } = running.destination;
    // The emulator saves its state, except objects, only when it is stopped.
    await cloud.stop();
    await cloud.restart();
    const before = await putMany(running, "cloud/before", 10);
    await waitForArrivals(running, "cloud/before", 3);
    await cloud.kill();
    const meanwhile = await putMany(running, "cloud/meanwhile", 10);
    await putBack(running, "cloud/meanwhile/0", /./);
    await cloud.restart();
    await allArrive(running, [...before, ...meanwhile]);
  });
});
