import { createHash } from "node:crypto";
import { refusal } from "../ram/refusal";
import type { MnsClient } from "./mns-client";
import { type MnsFixture, outcome, QUEUE, REGION, startMns } from "./mns-fixture";

const Q = QUEUE.queueName;
const NONE = { status: 404, code: "MessageNotExist" };
let fixture: MnsFixture;
let client: MnsClient;
beforeAll(async () => {
  fixture = await startMns();
  client = fixture.client();
});
beforeEach(() => {
  fixture.clock.aheadMs = 0;
  if (fixture.service.getQueue(REGION, Q)) fixture.service.deleteQueue(REGION, Q);
  fixture.service.createQueue(REGION, QUEUE);
});
afterAll(() => fixture.close());

const text = (name: string) => (answer: { element(name: string): string | undefined }) => answer.element(name) ?? "";
const handle = text("ReceiptHandle");
const bodies = () => fixture.service.messages(REGION, Q).map(({ body }) => body);

test("a message is received as it was sent, with its attributes", async () => {
  const body = JSON.stringify({ look: { key: "a <b>&amp; é😀/../\t" }, reason: 'he said "no" \r\n  ' });
  const sent = await client.post(Q, body);
  const md5 = createHash("md5").update(body).digest("hex").toUpperCase();
  expect(sent.status).toBe(201);
  expect(sent.headers).toMatchObject({ "content-type": "text/xml;charset=utf-8", "x-mns-version": "2015-06-06" });
  expect(sent.element("MessageBodyMD5")).toBe(md5);
  expect(sent.element("ReceiptHandle")).toBeUndefined();
  const received = await client.receive(Q);
  expect(received.status).toBe(200);
  expect(received.text).toContain('<Message xmlns="http://mns.aliyuncs.com/doc/v1/">');
  const fields = ["MessageId", "MessageBody", "MessageBodyMD5", "DequeueCount", "Priority"].map((name) => received.element(name));
  expect(fields).toEqual([sent.element("MessageId"), body, md5, "1", "8"]);
  const [enqueued, first, next] = ["EnqueueTime", "FirstDequeueTime", "NextVisibleTime"].map((name) =>
    Number(received.element(name)),
  );
  expect(first).toBeGreaterThanOrEqual(enqueued ?? Number.NaN);
  expect(next).toBe((first ?? 0) + 30_000);
});

test("a received message is invisible until the visibility timeout and can be deleted until then", async () => {
  await client.post(Q, "one");
  const first = await client.receive(Q);
  expect(outcome(await client.receive(Q))).toEqual(NONE);
  fixture.clock.aheadMs = 31_000;
  expect(outcome(await client.remove(Q, handle(first)))).toEqual(NONE);
  const second = await client.receive(Q);
  expect(second.element("DequeueCount")).toBe("2");
  expect(second.element("FirstDequeueTime")).toBe(first.element("FirstDequeueTime"));
  expect(outcome(await client.remove(Q, handle(first)))).toEqual(NONE);
  expect(await client.remove(Q, handle(second))).toMatchObject({ status: 204, text: "" });
  expect(outcome(await client.remove(Q, handle(second)))).toEqual(NONE);
  expect(bodies()).toEqual([]);
});

test("changing the visibility returns a new handle", async () => {
  await client.post(Q, "one");
  const first = handle(await client.receive(Q));
  const changed = await client.hide(Q, first, 120);
  expect(changed.text).toContain("<ChangeVisibility xmlns=");
  expect(Number(changed.element("NextVisibleTime"))).toBeGreaterThan(Date.now() + 110_000);
  expect(outcome(await client.hide(Q, first, 1))).toEqual(NONE);
  fixture.clock.aheadMs = 60_000;
  expect(outcome(await client.receive(Q))).toEqual(NONE);
  expect((await client.remove(Q, handle(changed))).status).toBe(204);
});

test("peeking does not receive", async () => {
  await client.post(Q, "one");
  for (let time = 0; time < 2; time += 1) {
    const peeked = await client.peek(Q);
    expect(["MessageBody", "DequeueCount", "ReceiptHandle"].map((name) => peeked.element(name))).toEqual(["one", "0", undefined]);
  }
  await client.receive(Q);
  expect(outcome(await client.peek(Q))).toEqual(NONE);
});

test("a batch has the highest priority first", async () => {
  for (const [body, priority] of [
    ["c", 9],
    ["a", 1],
    ["b", 8],
    ["d", 16],
  ] as const)
    await client.post(Q, body, `<Priority>${priority}</Priority>`);
  const inOrder = (answer: { text: string }) => [...answer.text.matchAll(/<MessageBody>(.)</g)].map(([, body]) => body);
  expect(inOrder(await client.peek(Q, "&numOfMessages=16"))).toEqual(["a", "b", "c", "d"]);
  const received = await client.receive(Q, "?numOfMessages=3");
  expect(received.text).toContain("<Messages xmlns=");
  expect(inOrder(received)).toEqual(["a", "b", "c"]);
  expect(inOrder(await client.receive(Q, "?numOfMessages=3"))).toEqual(["d"]);
  expect(outcome(await client.receive(Q, "?numOfMessages=3"))).toEqual(NONE);
});

test("a delay hides a message, and the message's own delay overrides the queue's", async () => {
  fixture.service.updateQueue(REGION, Q, { delaySeconds: 60 });
  const sent = await client.post(Q, "held");
  await client.post(Q, "soon", "<DelaySeconds>5</DelaySeconds>");
  expect(outcome(await client.receive(Q))).toEqual(NONE);
  fixture.clock.aheadMs = 6_000;
  expect((await client.receive(Q)).element("MessageBody")).toBe("soon");
  expect(outcome(await client.receive(Q))).toEqual(NONE);
  // A delayed message can be deleted.
  expect((await client.remove(Q, handle(sent))).status).toBe(204);
});

describe("batches", () => {
  const handlesOf = (answer: { text: string }) =>
    [...answer.text.matchAll(/<ReceiptHandle>([^<]+)</g)].map(([, found]) => found as string);

  test("are sent, each message with its own delay", async () => {
    const sent = await client.postAll(Q, [["now"], ["later", "<DelaySeconds>5</DelaySeconds>"]]);
    expect(sent.status).toBe(201);
    expect(sent.text).toContain("<Messages xmlns=");
    expect(sent.text.match(/<MessageId>/g)).toHaveLength(2);
    expect((await client.receive(Q, "?numOfMessages=16")).text).not.toContain("later");
    fixture.clock.aheadMs = 6_000;
    expect((await client.receive(Q)).element("MessageBody")).toBe("later");
  });

  test("are deleted by their handles", async () => {
    await client.postAll(Q, [["a"], ["b"], ["c"]]);
    const handles = handlesOf(await client.receive(Q, "?numOfMessages=2"));
    expect(await client.removeAll(Q, handles)).toMatchObject({ status: 204, text: "" });
    expect(bodies()).toEqual(["c"]);
  });

  test("say which messages could not be deleted, and delete the others", async () => {
    await client.postAll(Q, [["a"], ["b"]]);
    const [one = "", two = ""] = handlesOf(await client.receive(Q, "?numOfMessages=2"));
    await client.remove(Q, one);
    const answer = await client.removeAll(Q, [one, two]);
    expect(answer).toMatchObject({ status: 404, text: expect.stringContaining("<Errors xmlns=") });
    expect([answer.element("ErrorCode"), handlesOf(answer)]).toEqual(["MessageNotExist", [one]]);
    expect(bodies()).toEqual([]);
  });

  test("say which messages could not be stored, and store the others", async () => {
    fixture.service.updateQueue(REGION, Q, { maximumMessageSize: 1024 });
    const answer = await client.postAll(Q, [["a"], ["x".repeat(1025)]]);
    expect([answer.status, answer.element("ErrorCode")]).toEqual([500, "InvalidArgument"]);
    expect(bodies()).toEqual(["a"]);
  });

  test.each<[string, () => Promise<{ status: number }>]>([
    [
      "more than 16 messages",
      () =>
        client.postAll(
          Q,
          Array.from({ length: 17 }, () => ["x"] as const),
        ),
    ],
    ["more than 64 KB", () => client.postAll(Q, [["x".repeat(40_000)], ["x".repeat(40_000)]])],
    ["no message", () => client.postAll(Q, [])],
    [
      "more than 16 handles",
      () =>
        client.removeAll(
          Q,
          Array.from({ length: 17 }, () => "x"),
        ),
    ],
  ])("%s are refused", async (_, ask) => {
    expect(await ask()).toMatchObject({ status: 400 });
    expect(bodies()).toEqual([]);
  });

  test("need permissions of their own", async () => {
    const resource = `acs:mns:${REGION}:*:/queues/${Q}/messages`;
    const single = fixture.client(fixture.session(["mns:SendMessage", "mns:ReceiveMessage", "mns:DeleteMessage"], [resource]));
    await single.post(Q, "one");
    expect((await single.postAll(Q, [["two"]])).status).toBe(403);
    expect((await single.receive(Q, "?numOfMessages=2")).status).toBe(403);
    const found = handle(await single.receive(Q));
    expect((await single.removeAll(Q, [found])).status).toBe(403);
    const batches = fixture.client(fixture.session(["mns:Batch*"], [resource]));
    expect((await batches.removeAll(Q, [found])).status).toBe(204);
  });
});

test("a message is deleted after its retention", async () => {
  fixture.service.updateQueue(REGION, Q, { messageRetentionPeriod: 60 });
  await client.post(Q, "one");
  fixture.clock.aheadMs = 59_000;
  expect(bodies()).toEqual(["one"]);
  fixture.clock.aheadMs = 61_000;
  expect(outcome(await client.receive(Q))).toEqual(NONE);
  expect(bodies()).toEqual([]);
});

test("the attributes count active, inactive and delayed messages", async () => {
  await client.post(Q, "received");
  await client.receive(Q);
  await client.post(Q, "active");
  await client.post(Q, "delayed", "<DelaySeconds>60</DelaySeconds>");
  const counts = async () => {
    const attributes = await client.attributes(Q);
    return ["ActiveMessages", "InactiveMessages", "DelayMessages"].map((name) => Number(attributes.element(name)));
  };
  expect(await counts()).toEqual([1, 1, 1]);
  fixture.clock.aheadMs = 61_000;
  expect(await counts()).toEqual([3, 0, 0]);
  const attributes = await client.attributes(Q);
  expect(attributes.text).toContain("<Queue xmlns=");
  const settings = ["QueueName", "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "VisibilityTimeout"];
  expect(settings.map((name) => attributes.element(name))).toEqual([Q, "0", "65536", "345600", "30"]);
});

test("a message may be as large as the queue allows, in bytes", async () => {
  fixture.service.updateQueue(REGION, Q, { maximumMessageSize: 1024 });
  expect((await client.post(Q, "é".repeat(512))).status).toBe(201);
  expect(outcome(await client.post(Q, "é".repeat(513)))).toEqual({ status: 400, code: "InvalidArgument" });
  expect(refusal(() => fixture.service.send(REGION, Q, Buffer.alloc(1025, "x")))).toBe("MessageTooLong");
  expect(fixture.service.send(REGION, Q, Buffer.alloc(1024, "x")).messageId).toMatch(/^[0-9A-F-]+$/);
});

test("other services send messages and read them without receiving", () => {
  const { messageId } = fixture.service.send(REGION, Q, Buffer.from("from é"));
  expect(fixture.service.messages(REGION, Q)).toEqual([{ messageId, body: "from é", enqueuedAt: expect.any(Number) }]);
  expect(refusal(() => fixture.service.send("us-west-1", Q, Buffer.from("x")))).toBe("QueueNotExist");
});

test("queues are created, changed and deleted per region", () => {
  const { service } = fixture;
  expect(refusal(() => service.createQueue(REGION, QUEUE))).toBe("QueueAlreadyExist");
  service.createQueue("us-west-1", { ...QUEUE, visibilityTimeout: 60 });
  expect(service.getQueue("us-west-1", Q)).toEqual({ ...QUEUE, visibilityTimeout: 60 });
  service.deleteQueue("us-west-1", Q);
  expect(service.getQueue("us-west-1", Q)).toBeUndefined();
  expect(refusal(() => service.deleteQueue("us-west-1", Q))).toBe("QueueNotExist");
  expect(refusal(() => service.updateQueue("us-west-1", Q, {}))).toBe("QueueNotExist");
  expect(refusal(() => service.updateQueue(REGION, Q, { visibilityTimeout: 0 }))).toBe("InvalidArgument");
  expect(refusal(() => service.createQueue(REGION, { ...QUEUE, queueName: "with_underscore" }))).toBe("InvalidQueueName");
  expect(service.getQueue(REGION, Q)).toEqual(QUEUE);
});

describe("a long poll", () => {
  const poll = async (query: string, signal?: AbortSignal) => {
    const authorized = fixture.nextCall();
    const answer = client.receive(Q, query, signal);
    await authorized;
    return { answer };
  };

  test("ends when a message arrives", async () => {
    const startedAt = Date.now();
    const { answer } = await poll("?waitseconds=30");
    fixture.service.send(REGION, Q, Buffer.from("at last"));
    expect((await answer).element("MessageBody")).toBe("at last");
    expect(Date.now() - startedAt).toBeLessThan(10_000);
  });

  test("ends when a message becomes visible again", async () => {
    await client.post(Q, "hidden", "<DelaySeconds>1</DelaySeconds>");
    const { answer } = await poll("?waitseconds=30");
    expect((await answer).element("MessageBody")).toBe("hidden");
  });

  test("ends after its own time or that of the queue", async () => {
    fixture.service.updateQueue(REGION, Q, { pollingWaitSeconds: 1 });
    const startedAt = Date.now();
    const { answer } = await poll("");
    expect(outcome(await answer)).toEqual(NONE);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(990);
    fixture.service.updateQueue(REGION, Q, { pollingWaitSeconds: 30 });
    const asked = Date.now();
    expect(outcome(await client.receive(Q, "?waitseconds=0"))).toEqual(NONE);
    expect(Date.now() - asked).toBeLessThan(10_000);
  });

  test("of a client that disconnects receives nothing", async () => {
    const leave = new AbortController();
    const { answer } = await poll("?waitseconds=30", leave.signal);
    leave.abort();
    await expect(answer).rejects.toThrow("aborted");
    // The next connection begins after the first one has ended.
    await client.attributes(Q);
    fixture.service.send(REGION, Q, Buffer.from("kept"));
    expect((await client.receive(Q)).element("MessageBody")).toBe("kept");
  });

  test("of two polls one gets the message", async () => {
    const [one, two] = [await poll("?waitseconds=1"), await poll("?waitseconds=1")];
    fixture.service.send(REGION, Q, Buffer.from("single"));
    const answers = await Promise.all([one.answer, two.answer]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404]);
  });
});
