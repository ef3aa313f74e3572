/** Reads dead letters of the local SMQ, which checks every signature. */
import { countMessages, readDeadLetters, readHeld, type SmqOptions } from "../../../operator/clouds/smq";
import { encodeDeadLetter, encodeLook } from "../../../runtime/protocol/queue-messages";
import { createOssDispatcher } from "../../../runtime/stores/oss/client";
import { ACCOUNT, QUEUE, REGION, type Smq, startSmq } from "./smq";

let mns: Smq;
let options: SmqOptions;
let waits: number[];
beforeEach(async () => {
  mns = await startSmq();
  waits = [];
  options = {
    queueUrl: `https://${ACCOUNT}.mns.${REGION}.aliyuncs.com/queues/${QUEUE.queueName}`,
    originOf: () => mns.origin,
    credentials: async () => mns.root,
    dispatcher: createOssDispatcher({ ca: mns.ca }),
    now: mns.now,
    sleep: async (ms) => {
      waits.push(ms);
      mns.advance(ms);
    },
  };
});
afterEach(async () => {
  await options.dispatcher.close();
  await mns.close();
});

function fill(count: number): void {
  for (let index = 0; index < count; index++) {
    const look = { key: `a<&>"ü ${index}`, failures: 1, firstSeenMs: 1 };
    const letter = { reason: `no. ${index}`, bridgeId: "b", parkedAt: "2026-03-01T00:00:07.000Z" };
    mns.service.send(REGION, QUEUE.queueName, Buffer.from(encodeDeadLetter(look, letter)));
  }
}

const operations = () => [...new Set(mns.calls.map(({ action }) => action))];

test("peeks at a few letters without hiding them", async () => {
  fill(15);
  const { letters, complete } = await readDeadLetters(options, { limit: 100 });
  expect(letters).toHaveLength(15);
  expect(complete).toBe(true);
  expect(letters[3]).toEqual({ key: 'a<&>"ü 3', reason: "no. 3", parkedAt: new Date("2026-03-01T00:00:07Z") });
  expect(operations()).toEqual(["mns:BatchPeekMessage"]);
});

test("receives many letters and returns them", async () => {
  fill(40);
  const { letters, complete } = await readDeadLetters(options, { limit: 100 });
  expect(new Set(letters.map(({ key }) => key)).size).toBe(40);
  expect(complete).toBe(true);
  expect(operations()).toEqual(["mns:BatchPeekMessage", "mns:BatchReceiveMessage", "mns:ChangeMessageVisibility"]);
  expect(waits).toEqual([1000]);
  expect((await readDeadLetters(options, { limit: 100 })).letters).toHaveLength(40);
  expect(mns.service.messages(REGION, QUEUE.queueName)).toHaveLength(40);
});

test("returns at most `limit` letters", async () => {
  fill(40);
  for (const limit of [20, 2]) {
    const { letters, complete } = await readDeadLetters(options, { limit });
    expect(letters).toHaveLength(limit);
    expect(complete).toBe(false);
  }
  expect((await readDeadLetters(options, { limit: 100 })).letters).toHaveLength(40);
});

test("stops although letters become visible again while it reads", async () => {
  fill(40);
  const slow = () => {
    mns.advance(10_000);
    return mns.now();
  };
  const { letters, complete } = await readDeadLetters({ ...options, now: slow }, { limit: 100 });
  expect(new Set(letters.map(({ key }) => key)).size).toBe(40);
  expect(letters).toHaveLength(40);
  expect(complete).toBe(false);
  expect((await readDeadLetters(options, { limit: 100 })).letters).toHaveLength(40);
}, 10_000);

test("an empty queue has no letters", async () => {
  expect(await readDeadLetters(options, { limit: 100 })).toEqual({ letters: [], complete: true });
});

test("reads the keys of an outage queue and leaves them in it", async () => {
  const last = { reason: "the receiver does not answer", place: "border", atMs: 3 } as const;
  for (let index = 0; index < 20; index++)
    mns.service.send(
      REGION,
      QUEUE.queueName,
      Buffer.from(encodeLook({ key: `k${index}`, firstSeenMs: 1, failures: 0, waits: 1, last })),
    );
  mns.service.send(REGION, QUEUE.queueName, Buffer.from("no look"));
  const { looks, complete } = await readHeld(options, { limit: 100 });
  expect(complete).toBe(true);
  expect(looks).toHaveLength(20);
  expect(looks[0]).toEqual({ key: expect.any(String), firstSeenMs: 1, failures: 0, waits: 1, last });
  expect(mns.service.messages(REGION, QUEUE.queueName)).toHaveLength(21);
  expect((await readHeld(options, { limit: 18 })).complete).toBe(false);
  const elsewhere = { ...options, queueUrl: options.queueUrl.replace(QUEUE.queueName, "another") };
  await expect(readHeld(elsewhere, { limit: 5 })).rejects.toThrow(/^the outage queue another cannot be read: QueueNotExist/);
});

test("an outage queue whose messages are hidden by a probe is not read completely", async () => {
  mns.service.send(REGION, QUEUE.queueName, Buffer.from(encodeLook({ key: "k", firstSeenMs: 1, failures: 0 })));
  mns.service.updateQueue(REGION, QUEUE.queueName, { delaySeconds: 60 });
  mns.service.send(REGION, QUEUE.queueName, Buffer.from(encodeLook({ key: "hidden", firstSeenMs: 1, failures: 0 })));
  expect(await readHeld(options, { limit: 100 })).toMatchObject({ complete: false, looks: [{ key: "k" }] });
});

test("counts the messages of a queue: ready, delayed and received", async () => {
  expect(await countMessages(options, {})).toBe(0);
  fill(3);
  expect(await countMessages(options, {})).toBe(3);
  mns.service.updateQueue(REGION, QUEUE.queueName, { delaySeconds: 60 });
  fill(2);
  expect(await countMessages(options, {})).toBe(5);
});

test("sends the token of a session", async () => {
  fill(1);
  const { accessKeyId, accessKeySecret, securityToken } = mns.session("mns:BatchPeekMessage");
  const credentials = async () => ({ accessKeyId, accessKeySecret, securityToken });
  expect((await readDeadLetters({ ...options, credentials }, { limit: 5 })).letters).toHaveLength(1);
});

test("reports a queue that does not exist, and one without permission", async () => {
  const elsewhere = { ...options, queueUrl: options.queueUrl.replace(QUEUE.queueName, "another") };
  await expect(readDeadLetters(elsewhere, { limit: 5 })).rejects.toMatchObject({
    kind: "NotFound",
    message: expect.stringMatching(/^the dead-letter queue another cannot be read: QueueNotExist/),
  });
  const session = mns.session("mns:SendMessage");
  const credentials = async () => session;
  await expect(readDeadLetters({ ...options, credentials }, { limit: 5 })).rejects.toMatchObject({ kind: "PermissionDenied" });
});

test("an abort ends the read", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(readDeadLetters(options, { limit: 5, signal })).rejects.toThrow("enough");
});
