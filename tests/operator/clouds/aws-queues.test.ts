import { createHash } from "node:crypto";
import { SqsQueues } from "../../../operator/clouds/aws";
import { decodeLook } from "../../../runtime/protocol/queue-messages";
import { type AwsServer, operationOf, reply, startAws } from "./aws-server";

const QUEUE = "https://sqs.example/111111111111/dead-letters";

interface Entry {
  Id: string;
  ReceiptHandle: string;
  VisibilityTimeout: number;
  MessageBody: string;
}
interface Stored {
  id: string;
  key: string;
  hidden: boolean;
}

/** A fake of SQS: a received message is hidden until it is returned. */
function fakeQueue(count: number) {
  const stored: Stored[] = Array.from({ length: count }, (_, index) => ({ id: `m${index}`, key: `key ${index}`, hidden: false }));
  const asked: { operation: string; body: Record<string, unknown> }[] = [];
  const sent: Entry[] = [];
  const waiting: (() => void)[] = [];
  let failing: unknown[] = [];
  let receives = 0;
  const md5 = (text: string) => createHash("md5").update(text).digest("hex");
  const start = () =>
    startAws((request, response) => {
      const operation = operationOf(request);
      const body = JSON.parse(request.body.toString()) as Record<string, unknown>;
      asked.push({ operation, body });
      fake.onAsked(operation);
      const entries = body.Entries as Entry[];
      switch (operation) {
        case "ReceiveMessage": {
          receives += 1;
          const found = stored.filter(({ hidden }) => !hidden).slice(0, 10);
          for (const one of found) one.hidden = true;
          const Messages = found.map(({ id, key }) => {
            const Body = JSON.stringify({ look: { version: 2, key, failures: 1, firstSeenMs: 1 } });
            const MessageAttributes = {
              Key: { DataType: "String", StringValue: encodeURIComponent(key) },
              Reason: { DataType: "String", StringValue: "refused" },
              ParkedAt: { DataType: "String", StringValue: "2026-03-01T00:00:07.000Z" },
              ...fake.attributes,
            };
            const attributes = id === "m1" ? {} : { MessageAttributes };
            const Attributes = { SentTimestamp: "1772323200000" };
            return {
              MessageId: id,
              ReceiptHandle: `handle-${id}-${receives}`,
              Body,
              MD5OfBody: md5(Body),
              Attributes,
              ...attributes,
            };
          });
          reply(response, found.length === 0 ? {} : { Messages });
          return;
        }
        case "GetQueueAttributes":
          reply(response, {
            Attributes: Object.fromEntries((body.AttributeNames as string[]).map((name) => [name, String(fake.counted)])),
          });
          return;
        case "ChangeMessageVisibilityBatch":
          for (const { ReceiptHandle } of entries)
            for (const one of stored) if (ReceiptHandle.startsWith(`handle-${one.id}-`)) one.hidden = false;
          reply(response, { Successful: entries.map(({ Id }) => ({ Id })), Failed: failing });
          return;
        case "SendMessageBatch":
          sent.push(...entries);
          waiting.push(() =>
            reply(response, {
              Successful: entries.map(({ Id, MessageBody }) => ({ Id, MessageId: Id, MD5OfMessageBody: md5(MessageBody) })),
              Failed: failing,
            }),
          );
          if (waiting.length >= fake.sideBySide) for (const answer of waiting.splice(0)) answer();
          return;
        default:
          reply(response, { __type: "InvalidAction" }, 400);
      }
    });
  const fake = {
    stored,
    asked,
    sent,
    start,
    /** What the queue says of its messages that are ready, delayed, and received: each of the three. */
    counted: 0,
    /** A batch is answered only once this many batches have arrived. */
    sideBySide: 1,
    /** Attributes of the letters, instead of the bridge's own. */
    attributes: {} as Record<string, { DataType: string; StringValue: string }>,
    onAsked: (_operation: string): void => undefined,
    fail(...failed: unknown[]): void {
      failing = failed;
    },
  };
  return fake;
}

let queues: SqsQueues;
let aws: AwsServer | undefined;
async function open(fake: ReturnType<typeof fakeQueue>): Promise<SqsQueues> {
  aws = await fake.start();
  queues = new SqsQueues(aws.access);
  return queues;
}
afterEach(async () => {
  queues.close();
  await aws?.server.close();
});

describe("dead letters", () => {
  test("reads all letters and leaves all in the queue", async () => {
    const fake = fakeQueue(23);
    const { letters, complete } = await (await open(fake)).deadLetters(QUEUE, { limit: 100 });
    expect(complete).toBe(true);
    expect(letters.map(({ key }) => key)).toEqual(fake.stored.map(({ key }) => key));
    expect(letters[0]).toEqual({ key: "key 0", reason: "refused", parkedAt: new Date("2026-03-01T00:00:07Z") });
    expect(letters[1]).toMatchObject({ key: "key 1", parkedAt: new Date(1772323200000), reason: expect.stringMatching(/gave/) });
    expect(fake.stored.some(({ hidden }) => hidden)).toBe(false);
    expect(fake.asked.map(({ operation }) => operation)).not.toContain("DeleteMessage");
    expect(fake.asked[0]?.body).toMatchObject({ QueueUrl: QUEUE, WaitTimeSeconds: 1, VisibilityTimeout: 120 });
  });

  test("reads the key from the body if the attribute is not encoded", async () => {
    const fake = fakeQueue(2);
    fake.attributes.Key = { DataType: "String", StringValue: "100%" };
    const { letters } = await (await open(fake)).deadLetters(QUEUE, { limit: 5 });
    expect(letters).toMatchObject([
      { key: "key 0", reason: "refused" },
      { key: "key 1", reason: expect.any(String) },
    ]);
  });

  test("returns at most `limit` letters", async () => {
    const fake = fakeQueue(23);
    const { letters, complete } = await (await open(fake)).deadLetters(QUEUE, { limit: 5 });
    expect(letters).toHaveLength(5);
    expect(complete).toBe(false);
    expect(fake.asked.filter(({ operation }) => operation === "ReceiveMessage")).toHaveLength(1);
    expect(fake.stored.some(({ hidden }) => hidden)).toBe(false);
  });

  test("an empty queue has no letters", async () => {
    expect(await (await open(fakeQueue(0))).deadLetters(QUEUE, { limit: 5 })).toEqual({ letters: [], complete: true });
  });

  test("stops although letters become visible again while it reads", async () => {
    const fake = fakeQueue(23);
    await open(fake);
    fake.onAsked = (operation) => {
      if (operation === "ReceiveMessage") for (const one of fake.stored) one.hidden = false;
    };
    const { letters, complete } = await queues.deadLetters(QUEUE, { limit: 100 });
    expect(letters.map(({ key }) => key)).toEqual(fake.stored.slice(0, 10).map(({ key }) => key));
    expect(complete).toBe(false);
    expect(fake.asked.filter(({ operation }) => operation === "ReceiveMessage")).toHaveLength(2);
    expect(fake.stored.some(({ hidden }) => hidden)).toBe(false);
  }, 10_000);

  test("returns a letter with the handle of its last receive", async () => {
    const fake = fakeQueue(1);
    await open(fake);
    let receives = 0;
    fake.onAsked = (operation) => {
      if (operation === "ReceiveMessage" && ++receives === 2) for (const one of fake.stored) one.hidden = false;
    };
    await queues.deadLetters(QUEUE, { limit: 100 });
    const given = fake.asked.find(({ operation }) => operation === "ChangeMessageVisibilityBatch");
    expect(given?.body.Entries).toMatchObject([{ ReceiptHandle: "handle-m0-2" }]);
  });

  test("returns the letters also after an interruption", async () => {
    const fake = fakeQueue(11);
    const controller = new AbortController();
    let receives = 0;
    fake.onAsked = (operation) => {
      if (operation === "ReceiveMessage") receives += 1;
      if (receives === 2) controller.abort(new Error("enough"));
    };
    await open(fake);
    await expect(queues.deadLetters(QUEUE, { limit: 100, signal: controller.signal })).rejects.toThrow("enough");
    expect(fake.stored.slice(0, 10).some(({ hidden }) => hidden)).toBe(false);
  });

  test("a letter that stays hidden is an error; one that another reader removed is not", async () => {
    const fake = fakeQueue(1);
    await open(fake);
    fake.fail({ Id: "0", SenderFault: true, Code: "ReceiptHandleIsInvalid" });
    expect((await queues.deadLetters(QUEUE, { limit: 5 })).letters).toHaveLength(1);
    fake.fail({ Id: "0", SenderFault: false, Code: "InternalError" });
    await expect(queues.deadLetters(QUEUE, { limit: 5 })).rejects.toMatchObject({ kind: "Unavailable" });
  });
});

test("reads the keys of an outage queue and leaves them in it", async () => {
  const fake = fakeQueue(12);
  const { looks, complete } = await (await open(fake)).held(QUEUE, { limit: 100 });
  expect(complete).toBe(true);
  expect(looks).toHaveLength(12);
  expect(looks[3]).toEqual({ key: "key 3", failures: 1, firstSeenMs: 1 });
  expect(fake.stored.some(({ hidden }) => hidden)).toBe(false);
  expect(fake.asked.map(({ operation }) => operation)).not.toContain("DeleteMessage");
  expect(await queues.held(QUEUE, { limit: 5 })).toMatchObject({ complete: false, looks: { length: 5 } });
});

test("an outage queue whose messages are hidden by a probe is not read completely", async () => {
  const fake = fakeQueue(2);
  fake.counted = 1;
  expect(await (await open(fake)).held(QUEUE, { limit: 100 })).toMatchObject({ complete: false, looks: { length: 2 } });
});

test("counts the messages of a queue: ready, delayed and received", async () => {
  const fake = fakeQueue(0);
  fake.counted = 7;
  expect(await (await open(fake)).queued(QUEUE, {})).toBe(21);
  expect(fake.asked[0]?.body.AttributeNames).toEqual([
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
  ]);
});

describe("enqueue", () => {
  test("sends one event per key, ten per request", async () => {
    const fake = fakeQueue(0);
    const keys = Array.from({ length: 23 }, (_, index) => `k ü\u0001\uffff${index}`);
    await (await open(fake)).enqueue(QUEUE, keys, { nowMs: 17 });
    expect(fake.asked.map(({ body }) => (body.Entries as Entry[]).length).sort()).toEqual([10, 10, 3]);
    const looks = fake.sent.map(({ MessageBody }) => decodeLook(MessageBody));
    expect(looks).toHaveLength(23);
    expect(looks).toEqual(expect.arrayContaining(keys.map((key) => ({ key, failures: 0, firstSeenMs: 17 }))));
  });

  test("sends eight requests at once", async () => {
    const fake = fakeQueue(0);
    fake.sideBySide = 8;
    const keys = Array.from({ length: 160 }, (_, index) => `k${index}`);
    await (await open(fake)).enqueue(QUEUE, keys, { nowMs: 1 });
    expect(fake.asked).toHaveLength(16);
  }, 10_000);

  test.each([
    [true, "Invalid"],
    [false, "Unavailable"],
  ])("a key that was not taken is an error (the sender's fault: %s)", async (SenderFault, kind) => {
    const fake = fakeQueue(0);
    await open(fake);
    fake.fail({ Id: "1", SenderFault, Code: "Broken" });
    await expect(queues.enqueue(QUEUE, ["a", "b"], { nowMs: 1 })).rejects.toMatchObject({
      kind,
      message: "1 of 2 keys could not be put into the work queue: Broken",
    });
  });
});
