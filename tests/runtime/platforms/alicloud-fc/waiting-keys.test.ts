import { createMessageService, type LocalMessageService } from "local-alicloud";
import type { Dispatcher } from "undici";
import { createMessageQueue } from "../../../../runtime/platforms/alicloud-fc/message-queue";
import { createLookStarter } from "../../../../runtime/platforms/alicloud-fc/services";
import { createOutageQueue, createWorkQueue, drainWorkQueue } from "../../../../runtime/platforms/alicloud-fc/waiting-keys";
import { createEventHandler } from "../../../../runtime/platforms/event-handler";
import { decodeText } from "../../../../runtime/protocol/events";
import { type Look, systemClock } from "../../../../runtime/protocol/ports";
import { decodeLook, encodeLook } from "../../../../runtime/protocol/queue-messages";
import { createOssDispatcher } from "../../../../runtime/stores/oss/client";
import { KEY, localServices } from "./support";

const REGION = "cn-shanghai";
const HOST = `3333333333333333.mns.${REGION}.aliyuncs.com`;
const logger = { debug() {}, info() {}, warn() {}, error: (...line: unknown[]) => void logged.push(line) };
const logged: unknown[] = [];
let services: Awaited<ReturnType<typeof localServices>>;
let dispatcher: Dispatcher;
let service: LocalMessageService;
let aheadMs = 0;
beforeAll(async () => {
  services = await localServices();
  dispatcher = createOssDispatcher({ ca: services.ca });
  const { ram, tls } = services;
  service = await createMessageService({
    accountId: ram.accountId,
    ram,
    tls,
    regions: [REGION],
    now: () => Date.now() + aheadMs,
  });
});
beforeEach(() => {
  aheadMs = 0;
  logged.length = 0;
  if (service.getQueue(REGION, "keys")) service.deleteQueue(REGION, "keys");
  service.createQueue(REGION, {
    queueName: "keys",
    delaySeconds: 0,
    maximumMessageSize: 65_536,
    messageRetentionPeriod: 604_800,
    visibilityTimeout: 50,
    pollingWaitSeconds: 0,
  });
});
afterAll(async () => {
  await service.stop();
  await dispatcher.destroy();
  await services.remove();
});

const queue = (origin = service.origins[REGION] ?? "") =>
  createMessageQueue({
    queueUrl: `https://${HOST}/queues/keys`,
    originOf: () => origin,
    credentials: { current: () => KEY },
    dispatcher,
    clock: { ...systemClock, now: () => Date.now() + aheadMs },
    random: () => 1,
    sleep: async () => undefined,
  });
const lookAt = (key: string): Look => ({ key, firstSeenMs: 1_700_000_000_000, failures: 1, waits: 2 });
const looks = (count: number, begin = "k") => Array.from({ length: count }, (_, index) => lookAt(`${begin}${index}`));
const stored = () => service.messages(REGION, "keys").map(({ body }) => decodeLook(body).key);
const deadline = { remainingMs: () => 60_000 };

describe("the work queue", () => {
  test("hides a key until its delay is over", async () => {
    const work = queue();
    await createWorkQueue(work).enqueue(lookAt("a <b>&\t\ufffe"), 900);
    expect(await work.receive()).toEqual([]);
    expect(await work.isEmpty()).toBe(true);
    aheadMs = 901_000;
    const [message] = await work.receive();
    expect(decodeLook(message?.text)).toEqual(lookAt("a <b>&\t\ufffe"));
  });

  test("takes more keys than one batch, and keys that fill more than 64 KB together", async () => {
    const many = looks(20, "é".repeat(500)).map((look) => ({ ...look, difference: "x".repeat(1024), state: "s" }));
    await createWorkQueue(queue()).enqueueAll([...many, ...looks(30)]);
    expect(stored()).toHaveLength(50);
  });

  test("refuses as a whole what it could not store", async () => {
    service.updateQueue(REGION, "keys", { maximumMessageSize: 1024 });
    await expect(createWorkQueue(queue()).enqueueAll([lookAt("x".repeat(1000))])).rejects.toMatchObject({
      message: expect.stringMatching(/^messages could not be put into the queue keys: /),
    });
  });
});

describe("handing over keys that are due", () => {
  test("starts the function once per batch, and removes what was started", async () => {
    const work = queue();
    await createWorkQueue(work).enqueueAll(looks(40));
    const started: string[][] = [];
    const starter = {
      start: async (messages: readonly string[]) => void started.push(messages.map((text) => decodeLook(text).key)),
    };
    expect(await drainWorkQueue({ queue: work, starter, logger }, deadline)).toBe(40);
    expect(new Set(started.flat()).size).toBe(40);
    expect(started.length).toBeLessThanOrEqual(4);
    expect(stored()).toEqual([]);
  });

  test("a key whose start was refused stays, and comes with the next tick", async () => {
    const work = queue();
    await createWorkQueue(work).enqueueAll(looks(3));
    const refusing = { start: () => Promise.reject(new Error("throttled")) };
    expect(await drainWorkQueue({ queue: work, starter: refusing, logger }, deadline)).toBe(0);
    expect(stored()).toHaveLength(3);
    expect(logged).not.toEqual([]);
    aheadMs = 60_000;
    expect(await drainWorkQueue({ queue: work, starter: { start: async () => undefined }, logger }, deadline)).toBe(3);
    expect(stored()).toEqual([]);
  });

  test("begins no batch when the function's time is over", async () => {
    const work = queue();
    await createWorkQueue(work).enqueueAll(looks(3));
    const starter = { start: () => Promise.reject(new Error("not now")) };
    expect(await drainWorkQueue({ queue: work, starter, logger }, { remainingMs: () => 20_000 })).toBe(0);
    expect([stored().length, logged]).toEqual([3, []]);
  });
});

describe("the outage queue", () => {
  const open = () => {
    const parked: unknown[][] = [];
    const deadLetters = { park: async (...letter: unknown[]) => void parked.push(letter) };
    return { outage: createOutageQueue(queue(), { clock: systemClock, deadLetters }), parked };
  };

  test("is empty only without keys, also while somebody looks at them", async () => {
    const { outage } = open();
    expect(await outage.isEmpty()).toBe(true);
    await outage.add(looks(2));
    expect(await outage.isEmpty()).toBe(false);
    const held = await outage.receive();
    expect(held.map(({ look }) => look)).toEqual(looks(2));
    expect([(await outage.receive()).length, await outage.isEmpty()]).toEqual([0, false]);
    await outage.remove(held);
    expect(await outage.isEmpty()).toBe(true);
  });

  test("keeps a key whose delivery is over, and removes it with its next delivery", async () => {
    const { outage } = open();
    await outage.add(looks(1));
    const first = await outage.receive();
    aheadMs = 60_000;
    await outage.remove(first);
    expect(stored()).toEqual(["k0"]);
    await outage.remove(await outage.receive());
    expect(stored()).toEqual([]);
  });

  test("parks what holds no look: it would keep the breaker open for days", async () => {
    const { outage, parked } = open();
    service.send(REGION, "keys", Buffer.from("put here by hand"));
    await outage.add(looks(1));
    expect((await outage.receive()).map(({ look }) => look.key)).toEqual(["k0"]);
    expect(parked).toEqual([[expect.objectContaining({ key: "" }), "the look message is not JSON", "put here by hand"]]);
  });

  test("a queue that is not there is a failure, not an empty queue", async () => {
    const { outage } = open();
    service.deleteQueue(REGION, "keys");
    await expect(outage.isEmpty()).rejects.toMatchObject({ kind: "NotFound" });
    await expect(outage.receive()).rejects.toMatchObject({ kind: "NotFound" });
    await expect(outage.remove([{ look: lookAt("k"), handle: "h" }])).rejects.toMatchObject({ kind: "NotFound" });
  });
});

test("an invocation with several looks is read as those looks; a text that is none is a problem", async () => {
  const sent: string[] = [];
  const api = {
    call: async ({ roa }: { roa?: { body: Buffer } }) => {
      sent.push(roa?.body.toString() ?? "");
      return { status: 202, body: undefined };
    },
  };
  const starter = createLookStarter(api, "sender");
  await starter.start([encodeLook(lookAt("a")), encodeLook(lookAt("b")), "no look"]);
  const [record] = decodeText(sent[0] ?? "");
  expect(record).toMatchObject({ looks: [lookAt("a"), lookAt("b")], problem: "the look message is not JSON", original: sent[0] });
});

/** https://www.alibabacloud.com/help/en/fc/user-guide/result-callback: a larger result is lost. */
const DESTINATION_BYTES = 64 * 1024;

test.each([
  ["Chinese text", "中".repeat(1024), "é".repeat(1024)],
  ["text that JSON escapes", '"'.repeat(1024), "\\".repeat(1024)],
])("invocations with the longest looks of %s fit into the dead-letter queue if they fail", async (_, reason, difference) => {
  const sent: string[] = [];
  const api = {
    call: async ({ roa }: { roa?: { body: Buffer } }) => {
      sent.push(roa?.body.toString() ?? "");
      return { status: 202, body: undefined };
    },
  };
  const look = (index: number): Look => ({
    ...lookAt(`${String(index).padStart(3, "0")}${'"'.repeat(1020)}`),
    difference,
    last: { reason, place: "source", atMs: 1, store: "alicloud:a-bucket" },
  });
  await createLookStarter(api, "sender").start(Array.from({ length: 16 }, (_one, index) => encodeLook(look(index))));
  const read = sent.flatMap((payload) => decodeText(payload)[0]?.looks ?? []);
  expect(read.map(({ key }) => key.slice(0, 3))).toEqual(
    Array.from({ length: 16 }, (_one, index) => `${index}`.padStart(3, "0")),
  );
  const handler = createEventHandler(
    {
      handle: async () => ({ failures: [reason, difference, "x".repeat(9_000)].map((one) => ({ messageId: "", reason: one })) }),
    },
    logger,
  );
  for (const payload of sent) {
    const error: unknown = await handler(payload, deadline).catch((caught: unknown) => caught);
    const answer = JSON.stringify({ errorMessage: (error as Error).message, errorType: "Error" });
    const result = envelopeOf({ requestId: "r".repeat(40), functionArn: "f".repeat(200), invokeCount: 9, payload, answer });
    expect(Buffer.from(result).toString("base64").length).toBeLessThanOrEqual(DESTINATION_BYTES);
  }
});

/** The document that Function Compute sends, as the page above shows it. */
const envelopeOf = (result: { requestId: string; functionArn: string; invokeCount: number; payload: string; answer: string }) =>
  JSON.stringify({
    timestamp: 1_660_120_276_975,
    requestContext: {
      requestId: result.requestId,
      functionArn: result.functionArn,
      condition: "UnhandledInvocationError",
      approximateInvokeCount: result.invokeCount,
    },
    requestPayload: result.payload,
    responseContext: { statusCode: 200, functionError: "UnhandledInvocationError" },
    responsePayload: result.answer,
  });
