/** The outage queue and the batches, against an SQS that answers as its API reference says. */
import type { JsonCall } from "../../../../runtime/platforms/aws-lambda/api";
import { controlError } from "../../../../runtime/platforms/aws-lambda/errors";
import { createOutageQueue, createWorkQueue } from "../../../../runtime/platforms/aws-lambda/queues";
import type { Look } from "../../../../runtime/protocol/ports";
import { decodeLook, encodeLook } from "../../../../runtime/protocol/queue-messages";
import { VirtualTime } from "../../../support/virtual-time";
import { md5 } from "./recording-api";

interface Entry {
  Id: string;
  MessageBody?: string;
  ReceiptHandle?: string;
}

const lookAt = (index: number): Look => ({ key: `key-${index}`, firstSeenMs: 1_700_000_000_000 + index, failures: 1, waits: 3 });
const looks = (count: number) => Array.from({ length: count }, (_, index) => lookAt(index));

/** Keeps bodies by their handles. `refuse` decides about one entry of a batch. */
class FakeSqs {
  readonly bodies = new Map<string, string>();
  readonly batches: number[] = [];
  readonly received: Record<string, unknown>[] = [];
  hidden = 0;
  refuse: (entry: Entry, call: number) => { Code: string; SenderFault: boolean } | undefined = () => undefined;

  readonly sqs = async ({ action, input }: JsonCall): Promise<unknown> => {
    const entries = input.Entries as Entry[];
    if (action === "SendMessageBatch")
      return this.#batch(entries, ({ Id, MessageBody = "" }) => {
        this.bodies.set(`handle-${this.bodies.size}`, MessageBody);
        return { Id, MessageId: Id, MD5OfMessageBody: md5(MessageBody) };
      });
    if (action === "DeleteMessageBatch")
      return this.#batch(entries, ({ Id, ReceiptHandle = "" }) => {
        this.bodies.delete(ReceiptHandle);
        return { Id };
      });
    if (action === "ReceiveMessage") {
      this.received.push(input);
      const Messages = [...this.bodies]
        .slice(0, 10)
        .map(([ReceiptHandle, Body]) => ({ Body, ReceiptHandle, MD5OfBody: md5(Body) }));
      return Messages.length === 0 ? {} : { Messages };
    }
    if (action === "GetQueueAttributes")
      return {
        Attributes: {
          ApproximateNumberOfMessages: String(this.bodies.size),
          ApproximateNumberOfMessagesNotVisible: String(this.hidden),
        },
      };
    throw new Error(`${action} was not expected`);
  };

  #batch(entries: Entry[], apply: (entry: Entry) => object): object {
    this.batches.push(entries.length);
    const call = this.batches.length;
    const decided = entries.map((entry) => ({ entry, refusal: this.refuse(entry, call) }));
    const Successful = decided.flatMap(({ entry, refusal }) => (refusal === undefined ? [apply(entry)] : []));
    const Failed = decided.flatMap(({ entry, refusal }) => (refusal === undefined ? [] : [{ Id: entry.Id, ...refusal }]));
    return Failed.length === 0 ? { Successful } : { Successful, Failed };
  }
}

function outage(sqs: FakeSqs, parked: unknown[] = []) {
  const deadLetters = { park: async (...letter: unknown[]) => void parked.push(letter) };
  return createOutageQueue(sqs, {
    queueUrl: "https://outage",
    deadLetters,
    clock: new VirtualTime(),
  });
}

describe("batches", () => {
  test("hold at most ten messages, without a delay", async () => {
    const sqs = new FakeSqs();
    await createWorkQueue(sqs, "https://work").enqueueAll(looks(23));
    expect(sqs.batches).toEqual([10, 10, 3]);
    expect([...sqs.bodies.values()].map((body) => decodeLook(body))).toEqual(looks(23));
  });

  test("no message: no call", async () => {
    const sqs = new FakeSqs();
    await outage(sqs).add([]);
    expect(sqs.batches).toEqual([]);
  });

  test("only the refused messages of a batch are sent again", async () => {
    const sqs = new FakeSqs();
    sqs.refuse = ({ Id }, call) => (call === 1 && Number(Id) >= 7 ? { Code: "InternalError", SenderFault: false } : undefined);
    await outage(sqs).add(looks(10));
    expect(sqs.batches).toEqual([10, 3]);
    expect([...sqs.bodies.values()].map((body) => decodeLook(body).key).sort()).toEqual(looks(10).map(({ key }) => key));
  });

  test.each([
    ["for ever", false, { kind: "Unavailable", retryable: true }, 3],
    ["for what they are", true, { kind: "Invalid", retryable: false }, 1],
  ])("messages that SQS refuses %s: the call fails with the code", async (_, SenderFault, error, calls) => {
    const sqs = new FakeSqs();
    sqs.refuse = ({ Id }) => (Id === "0" ? { Code: "SomeCode", SenderFault } : undefined);
    await expect(outage(sqs).add(looks(2))).rejects.toMatchObject({ ...error, message: expect.stringContaining("SomeCode") });
    expect(sqs.batches).toHaveLength(calls);
  });

  const stored = (index: number, body = encodeLook(lookAt(index))) => ({ Id: String(index), MD5OfMessageBody: md5(body) });

  test.each<[string, unknown]>([
    ["is none of SQS", undefined],
    ["has no lists", {}],
    ["leaves one message out", { Successful: [stored(0)] }],
    ["names one message twice", { Successful: [stored(0), stored(0)] }],
    ["has another MD5 for one message", { Successful: [stored(0), stored(1, "other")] }],
    ["has no MD5 for one message", { Successful: [stored(0), { Id: "1" }] }],
  ])("messages are not taken for stored by an answer that %s", async (_, answer) => {
    const sqs = { sqs: async () => answer };
    const queue = { deadLetters: { park: async () => undefined }, clock: new VirtualTime() };
    for (const call of [
      createOutageQueue(sqs, { queueUrl: "https://outage", ...queue }).add(looks(2)),
      createWorkQueue(sqs, "https://work").enqueueAll(looks(2)),
    ])
      await expect(call).rejects.toMatchObject({ kind: "Corrupted", retryable: true });
  });

  test("a failed call is not swallowed", async () => {
    const refusal = controlError("op", "the queue", { status: 400, code: "QueueDoesNotExist" });
    const queue = createOutageQueue(
      { sqs: () => Promise.reject(refusal) },
      {
        queueUrl: "https://outage",
        deadLetters: { park: async () => undefined },
        clock: new VirtualTime(),
      },
    );
    for (const call of [
      queue.add(looks(1)),
      queue.receive(),
      queue.isEmpty(),
      queue.remove([{ look: lookAt(0), handle: "h" }]),
    ]) {
      const error: unknown = await call.catch((caught: unknown) => caught);
      expect(error).toBe(refusal);
    }
  });
});

describe("outage queue", () => {
  test("is empty only when no message is visible and none is hidden", async () => {
    const sqs = new FakeSqs();
    expect(await outage(sqs).isEmpty()).toBe(true);
    sqs.hidden = 1;
    expect(await outage(sqs).isEmpty()).toBe(false);
    sqs.hidden = 0;
    await outage(sqs).add(looks(1));
    expect(await outage(sqs).isEmpty()).toBe(false);
  });

  test("an answer without counts is not taken for an empty queue", async () => {
    const sqs = new FakeSqs();
    jest.spyOn(sqs, "sqs").mockResolvedValue({});
    expect(await outage(sqs).isEmpty()).toBe(false);
  });

  test("gives back what was added, hides it for a minute, and removes exactly what was received", async () => {
    const sqs = new FakeSqs();
    const queue = outage(sqs);
    await queue.add(looks(12));
    const first = await queue.receive();
    expect(first.map(({ look }) => look)).toEqual(looks(10));
    expect(sqs.received).toEqual([
      { QueueUrl: "https://outage", MaxNumberOfMessages: 10, VisibilityTimeout: 45, WaitTimeSeconds: 1 },
    ]);
    await queue.remove(first);
    expect((await queue.receive()).map(({ look }) => look.key)).toEqual(["key-10", "key-11"]);
  });

  test("a message that cannot be read is parked as it is, so it does not keep the breaker open", async () => {
    const sqs = new FakeSqs();
    const parked: unknown[] = [];
    sqs.bodies.set("stray", "not JSON");
    sqs.bodies.set("good", encodeLook(lookAt(1)));
    expect((await outage(sqs, parked).receive()).map(({ handle }) => handle)).toEqual(["good"]);
    expect(parked).toEqual([[expect.objectContaining({ key: "" }), expect.stringContaining("not JSON"), "not JSON"]]);
    expect([...sqs.bodies.keys()]).toEqual(["good"]);
  });

  test("a message stays when it cannot be parked", async () => {
    const sqs = new FakeSqs();
    sqs.bodies.set("stray", "not JSON");
    const queue = createOutageQueue(sqs, {
      queueUrl: "https://outage",
      deadLetters: { park: () => Promise.reject(new Error("no dead-letter queue")) },
      clock: new VirtualTime(),
    });
    await expect(queue.receive()).rejects.toThrow("no dead-letter queue");
    expect([...sqs.bodies.keys()]).toEqual(["stray"]);
  });

  test("a dead letter that an operator moves here begins its time anew", async () => {
    const sqs = new FakeSqs();
    sqs.bodies.set("letter", encodeLook({ key: "again", failures: 0 }));
    expect((await outage(sqs).receive())[0]?.look).toMatchObject({ key: "again", firstSeenMs: new VirtualTime().now() });
  });
});
