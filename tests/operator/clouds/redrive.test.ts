/** Redrives of real queues: a fake of SQS, and the local SMQ, which checks every signature. */
import { createHash } from "node:crypto";
import { SqsQueues } from "../../../operator/clouds/aws";
import { redriveLetters, type SmqOptions } from "../../../operator/clouds/smq";
import { operate } from "../../../operator/open-bridge";
import type { ParkedKey, RedriveOptions } from "../../../operator/operated-bridge";
import { configOf } from "../../../operator/stack-settings";
import { encodeDeadLetter } from "../../../runtime/protocol/queue-messages";
import { createOssDispatcher } from "../../../runtime/stores/oss/client";
import { type AwsServer, operationOf, reply, startAws } from "./aws-server";
import { ACCOUNT, QUEUE, REGION, type Smq, startSmq } from "./smq";

const LETTERS_URL = "https://sqs.example/111111111111/dead-letters";
const WORK_URL = "https://sqs.example/111111111111/work";

const isOdd = (letters: readonly ParkedKey[]) => letters.some(({ key }) => Number(key.split(" ")[1]) % 2 === 1);
const options = (changes: Partial<RedriveOptions> = {}): RedriveOptions => ({
  ...{ select: isOdd, limit: 1000, onProgress: () => undefined },
  ...changes,
});

describe("SQS", () => {
  interface Stored {
    id: string;
    body: string;
    hidden: boolean;
    /** When SQS stored it. */
    sentMs?: number;
  }
  let stored: Stored[];
  let sent: { url: string; body: string }[];
  let asked: string[];
  let refusesRemoval: boolean;
  let aws: AwsServer;

  beforeEach(async () => {
    stored = Array.from({ length: 25 }, (_, index) => ({
      id: `m${index}`,
      body: JSON.stringify({ look: { version: 2, key: `key ${index}`, failures: 0 } }),
      hidden: false,
    }));
    [sent, asked, refusesRemoval] = [[], [], false];
    aws = await startAws((request, response) => {
      const operation = operationOf(request);
      asked.push(operation);
      const body = JSON.parse(request.body.toString()) as Record<string, unknown>;
      const entries = (body.Entries ?? []) as { Id: string; ReceiptHandle: string }[];
      switch (operation) {
        case "ReceiveMessage": {
          const found = stored.filter(({ hidden }) => !hidden).slice(0, 10);
          for (const one of found) one.hidden = true;
          const Messages = found.map(({ id, body: Body, sentMs }) => ({
            ...{ MessageId: id, ReceiptHandle: `handle-${id}`, Body },
            ...(sentMs === undefined ? {} : { Attributes: { SentTimestamp: String(sentMs) } }),
            MD5OfBody: createHash("md5").update(Body).digest("hex"),
          }));
          return reply(response, found.length === 0 ? {} : { Messages });
        }
        case "SendMessage": {
          const text = String(body.MessageBody);
          sent.push({ url: String(body.QueueUrl), body: text });
          return reply(response, { MessageId: "x", MD5OfMessageBody: createHash("md5").update(text).digest("hex") });
        }
        case "DeleteMessageBatch": {
          const handles = entries.map(({ ReceiptHandle }) => ReceiptHandle);
          if (!refusesRemoval) stored = stored.filter(({ id }) => !handles.includes(`handle-${id}`));
          const results = entries.map(({ Id }) => ({ Id, Code: "InternalError", SenderFault: false }));
          return reply(response, refusesRemoval ? { Successful: [], Failed: results } : { Successful: results });
        }
        case "ChangeMessageVisibilityBatch":
          for (const one of stored)
            if (entries.some(({ ReceiptHandle }) => ReceiptHandle === `handle-${one.id}`)) one.hidden = false;
          return reply(response, { Successful: entries.map(({ Id }) => ({ Id })) });
        default:
          return reply(response, { __type: "InvalidAction" }, 400);
      }
    });
  });
  afterEach(() => aws.server.close());

  const open = () =>
    operate({
      stack: "dev",
      config: configOf("dev", {
        "crossborderbridge:source": { cloud: "aws", region: "us-east-1", bucket: "from-here" },
        "crossborderbridge:destination": { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there" },
        "crossborderbridge:allowedCidrs": ["192.0.2.0/24"],
      }),
      outputs: {
        ...{ sourceBucket: "from-here", destinationBucket: "to-there" },
        ...{ queueUrl: WORK_URL, deadLetterQueueUrl: LETTERS_URL, senderFunctionName: "sender" },
      },
      access: { source: aws.access, destination: { ...aws.access, cloud: "aws-cn" } },
    });

  test("puts the selected letters into the work queue as they are, and makes the others visible again", async () => {
    const bridge = open();
    try {
      const progress: number[] = [];
      const onProgress = ({ handed }: { handed: number }) => void progress.push(handed);
      expect(await bridge.redrive(options({ onProgress }))).toEqual({ handed: 12, left: 13, complete: true });
      expect(progress).toEqual([5, 10, 12]);
    } finally {
      await bridge.close();
    }
    expect(new Set(sent.map(({ url }) => url))).toEqual(new Set([WORK_URL]));
    expect(sent.map(({ body }) => (JSON.parse(body) as { look: { key: string } }).look.key).sort()).toEqual(
      Array.from({ length: 12 }, (_, index) => `key ${2 * index + 1}`).sort(),
    );
    expect(stored).toHaveLength(13);
    expect(stored.every(({ hidden }) => !hidden)).toBe(true);
  });

  test("a letter that was handed over and could not be removed is an error, and stays visible", async () => {
    refusesRemoval = true;
    const queues = new SqsQueues(aws.access);
    await expect(queues.redrive(LETTERS_URL, options(), async () => undefined)).rejects.toThrow(
      /^5 letters were handed over and could not be removed from the dead-letter queue: InternalError/,
    );
    expect(stored.every(({ hidden }) => !hidden)).toBe(true);
    queues.close();
  });

  test("a key that the bridge gives up again at once is not handed over again, so that the redrive ends", async () => {
    const queues = new SqsQueues(aws.access);
    let handed = 0;
    const hand = async (letters: readonly string[]) => {
      for (const body of letters) {
        handed += 1;
        if (handed > 100) throw new Error("it goes on for ever");
        stored.push({ id: `again-${handed}`, body, hidden: false, sentMs: Date.now() });
      }
    };
    const redriven = await queues.redrive(LETTERS_URL, options({ select: () => true }), hand);
    expect(redriven).toEqual({ handed: 25, left: 25, again: 25, complete: true });
    expect(stored.map(({ id, hidden }) => [id.replace(/-.*/, ""), hidden])).toEqual(Array(25).fill(["again", false]));
    queues.close();
  });

  test("an older letter of a key that was handed over is handed over as well", async () => {
    for (const one of stored) one.sentMs = 1_000;
    stored.push({ id: "older", body: stored[0]?.body ?? "", hidden: false, sentMs: 2_000 });
    const queues = new SqsQueues(aws.access);
    expect(await queues.redrive(LETTERS_URL, options({ select: () => true }), async () => undefined)).toEqual({
      ...{ handed: 26, left: 0, complete: true },
    });
    expect(stored).toEqual([]);
    queues.close();
  });

  test("stops at the limit", async () => {
    const queues = new SqsQueues(aws.access);
    const handed: string[] = [];
    const hand = async (letters: readonly string[]) => void handed.push(...letters);
    expect(await queues.redrive(LETTERS_URL, options({ limit: 3 }), hand)).toEqual({ handed: 3, left: 5, complete: false });
    expect(handed).toHaveLength(3);
    expect(stored.filter(({ hidden }) => hidden)).toEqual([]);
    queues.close();
  });
});

describe("SMQ", () => {
  let mns: Smq;
  let smq: SmqOptions;
  beforeEach(async () => {
    mns = await startSmq();
    smq = {
      queueUrl: `https://${ACCOUNT}.mns.${REGION}.aliyuncs.com/queues/${QUEUE.queueName}`,
      originOf: () => mns.origin,
      credentials: async () => mns.root,
      dispatcher: createOssDispatcher({ ca: mns.ca }),
      now: mns.now,
    };
    for (let index = 0; index < 25; index++) {
      const letter = { reason: "refused", bridgeId: "b", parkedAt: "2026-03-01T00:00:07.000Z" };
      const text = encodeDeadLetter({ key: `key ${index}`, failures: 1, firstSeenMs: 1 }, letter);
      mns.service.send(REGION, QUEUE.queueName, Buffer.from(text));
    }
  });
  afterEach(async () => {
    await smq.dispatcher.close();
    await mns.close();
  });

  test("hands over the selected letters, unchanged, and removes them", async () => {
    const handed: string[] = [];
    const hand = async (letters: readonly string[]) => void handed.push(...letters);
    expect(await redriveLetters(smq, options(), hand)).toEqual({ handed: 12, left: 13, complete: true });
    expect(handed.every((text) => text.includes('"reason":"refused"'))).toBe(true);
    expect(mns.service.messages(REGION, QUEUE.queueName)).toHaveLength(13);
    // SMQ hides a message for a second at least.
    mns.advance(1000);
    expect(await redriveLetters(smq, options({ select: () => true }), hand)).toEqual({ handed: 13, left: 0, complete: true });
    expect(mns.service.messages(REGION, QUEUE.queueName)).toHaveLength(0);
  });

  test("a letter that was not handed over stays", async () => {
    const hand = () => Promise.reject(new Error("the function is gone"));
    await expect(redriveLetters(smq, options(), hand)).rejects.toThrow("the function is gone");
    expect(mns.service.messages(REGION, QUEUE.queueName)).toHaveLength(25);
  });
});
