import { createHash } from "node:crypto";
import { operate } from "../../operator/open-bridge";
import type { OperatedBridge, OperatedOutputs } from "../../operator/operated-bridge";
import { configOf } from "../../operator/stack-settings";
import { decodeLook } from "../../runtime/protocol/queue-messages";
import { type AwsServer, operationOf, reply, startAws } from "./clouds/aws-server";

const md5 = (text: string) => createHash("md5").update(text).digest("hex");
const QUEUE_URL = "https://sqs.example/111111111111/work";
let aws: AwsServer;
let bridge: OperatedBridge;

let refuses = false;

/** Answers every call of AWS with success, until it refuses. */
async function open(outputs: Partial<OperatedOutputs>, settings: Record<string, unknown> = {}): Promise<void> {
  aws = await startAws((request, response) => {
    if (refuses) return reply(response, { __type: "AccessDenied" }, 403);
    if (operationOf(request) === "") {
      response.writeHead(202).end();
      return;
    }
    const { Entries } = JSON.parse(request.body.toString()) as { Entries: { Id: string; MessageBody: string }[] };
    const Successful = Entries.map(({ Id, MessageBody }) => ({ Id, MessageId: Id, MD5OfMessageBody: md5(MessageBody) }));
    reply(response, { Successful });
  });
  const config = configOf("dev", {
    "crossborderbridge:source": { cloud: "aws", region: "us-east-1", bucket: "from-here" },
    "crossborderbridge:destination": { cloud: "aws", region: "eu-west-1", bucket: "to-there", prefix: "copy/" },
    "crossborderbridge:mode": "pull",
    "crossborderbridge:allowedCidrs": ["192.0.2.0/24"],
    ...settings,
  });
  const all = { sourceBucket: "from-here", destinationBucket: "to-there", ...outputs };
  bridge = operate({ stack: "dev", config, outputs: all, access: { source: aws.access, destination: aws.access } });
}
afterEach(async () => {
  refuses = false;
  await bridge.close();
  await aws.server.close();
});

test("opens both sides, with the prefix before the destination's keys", async () => {
  await open({});
  const { source, destination, stack, config } = bridge;
  expect([stack, config.name]).toEqual(["dev", "dev"]);
  expect(source).toMatchObject({ side: "source", cloud: "aws", region: "us-east-1", bucket: "from-here", keyPrefix: "" });
  expect(destination).toMatchObject({ side: "destination", region: "eu-west-1", bucket: "to-there", keyPrefix: "copy/" });
  expect(aws.server.seen).toEqual([]);
});

test("puts keys into the work queue if the stack has one", async () => {
  await open({ queueUrl: QUEUE_URL, senderFunctionName: "sender" });
  await bridge.enqueue(["a", "b"]);
  expect(aws.server.seen.map(operationOf)).toEqual(["SendMessageBatch"]);
});

test.each([["senderFunctionName"], ["dispatcherFunctionName"]])(
  "without a queue, sends an event for each key to %s",
  async (name) => {
    await open({ [name]: "woken" });
    await bridge.enqueue(["a", "ü b"]);
    const { seen } = aws.server;
    expect(seen.map(({ url }) => url)).toEqual(Array(2).fill("/2015-03-31/functions/woken/invocations"));
    expect(
      seen
        .map(({ body }) => decodeLook(body.toString()))
        .map(({ key, failures }) => [key, failures])
        .sort(),
    ).toEqual([
      ["a", 0],
      ["ü b", 0],
    ]);
  },
);

test("in mode native refuses to hand over keys, and has no letters", async () => {
  const destination = { cloud: "aws", region: "eu-west-1", bucket: "to-there" };
  await open(
    {},
    { "crossborderbridge:mode": "native", "crossborderbridge:destination": destination, "crossborderbridge:allowedCidrs": [] },
  );
  await expect(bridge.enqueue(["a"])).rejects.toMatchObject({ kind: "Unsupported" });
  expect(await bridge.deadLetters({ limit: 10 })).toEqual({ letters: [], complete: true });
  expect(aws.server.seen).toEqual([]);
});

test("an error of a store, a queue or a log names its side and region", async () => {
  await open({ deadLetterQueueUrl: "https://sqs.example/1/letters", queueUrl: QUEUE_URL, senderFunctionName: "sender" });
  refuses = true;
  for (const read of [bridge.deadLetters({ limit: 1 }), bridge.queued(), bridge.log({ sinceMs: 0, limit: 1 })])
    await expect(read).rejects.toThrow(/^at the source \(aws, us-east-1\): .* cannot be read: /);
  await expect(bridge.destination.store.head("k")).rejects.toThrow(
    /^the destination bucket to-there \(aws, eu-west-1\): S3 answered head with .*403/,
  );
});
