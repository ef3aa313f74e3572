/** The signed calls against AWS's own clients: they send the same requests, and take the same answers for the same errors. */

import { Sha256 } from "@aws-crypto/sha256-js";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { SignatureV4 } from "@smithy/signature-v4";
import { createAgent, type HttpAgent } from "../../../../runtime/http/agent";
import { type AwsApi, createAwsApi, readEndpoint } from "../../../../runtime/platforms/aws-lambda/api";
import { toBridgeError } from "../../../../runtime/platforms/aws-lambda/errors";
import { createDeadLetterQueue, createOutageQueue, createWorkQueue } from "../../../../runtime/platforms/aws-lambda/queues";
import { createCopyLauncher, readParameters } from "../../../../runtime/platforms/aws-lambda/services";
import { encodeLook } from "../../../../runtime/protocol/queue-messages";
import type { BridgeError } from "../../../../runtime/stores/errors";
import { VirtualTime } from "../../../support/virtual-time";
import { type Answer, FakeServer, type SeenRequest, status } from "../../stores/fake-server";
import { md5 } from "./recording-api";

const REGION = "cn-north-1";
const CREDENTIALS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG", sessionToken: "token" };

let server: FakeServer;
let dispatcher: HttpAgent;
let waits: number[];
let api: AwsApi;
let queueUrl: string;
/** What AWS's clients are configured with. */
let sdk: { region: string; credentials: typeof CREDENTIALS; endpoint: string; maxAttempts: number };

beforeAll(async () => {
  server = await new FakeServer().start();
  dispatcher = createAgent();
});
afterAll(async () => {
  await dispatcher.close();
  await server.stop();
});
beforeEach(() => {
  waits = [];
  queueUrl = `${server.endpoint}/111111111111/queue`;
  sdk = { region: REGION, credentials: CREDENTIALS, endpoint: server.endpoint, maxAttempts: 1 };
  api = createAwsApi({
    region: REGION,
    credentials: () => CREDENTIALS,
    endpointOf: () => server.endpoint,
    dispatcher,
    random: () => 1,
    sleep: async (ms) => void waits.push(ms),
  });
});

const json = (body: unknown, code = 200, headers: Record<string, string> = {}): Answer =>
  status(code, { "content-type": "application/x-amz-json-1.0", ...headers }, JSON.stringify(body));

/** What a service sees of a request, without the client's own identification. */
function essence({ method, url, headers, body }: SeenRequest) {
  const named = ["content-type", "x-amz-target", "x-amz-invocation-type", "x-amz-security-token", "host"];
  const scope = /Credential=([^/]+)\/\d{8}\/([^,]+),/.exec(headers.authorization ?? "")?.slice(1);
  return { method, url, scope, headers: named.map((name) => headers[name]), body: JSON.parse(body.toString("utf8")) };
}

/** The signature of the request as AWS's own signer computes it from what arrived. */
async function signatureOf({ method, url, headers, body }: SeenRequest): Promise<string | undefined> {
  const { authorization = "" } = headers;
  const [, service = ""] = /\/([a-z-]+)\/aws4_request/.exec(authorization) ?? [];
  const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(";") ?? [];
  const date = String(headers["x-amz-date"]).replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
  const signer = new SignatureV4({ service, region: REGION, credentials: CREDENTIALS, sha256: Sha256, applyChecksum: false });
  const signed = await signer.sign(
    {
      ...{ method, protocol: "http:", hostname: "127.0.0.1", path: url, body },
      headers: Object.fromEntries(names.map((name) => [name, String(headers[name])])),
    },
    { signingDate: new Date(date), signableHeaders: new Set(["content-type"]) },
  );
  return signed.headers.authorization;
}

const look = { key: "a b+c%20/中文", failures: 2, firstSeenMs: 1_700_000_000_000 };
const clock = new VirtualTime();
const deadLetters = { park: async () => undefined };
const outage = () => createOutageQueue(api, { queueUrl, deadLetters, clock });
const sqs = () => new SQSClient(sdk);
const body = encodeLook(look);
const entry = { Id: "0", MessageBody: body };
const stored = { MessageId: "m", MD5OfMessageBody: md5(body) };
const counts = { ApproximateNumberOfMessages: "0", ApproximateNumberOfMessagesNotVisible: "0" };
const job = { execution: "x1" } as unknown as Parameters<ReturnType<typeof createCopyLauncher>["start"]>[0];

const CALLS: [string, { ours: () => Promise<unknown>; theirs: () => Promise<unknown>; answer: Answer }][] = [
  [
    "SendMessage",
    {
      ours: () => createWorkQueue(api, queueUrl).enqueue(look, 7),
      theirs: () => sqs().send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body, DelaySeconds: 7 })),
      answer: json(stored),
    },
  ],
  [
    "SendMessage with attributes",
    {
      ours: () => createDeadLetterQueue(api, { queueUrl, bridgeId: "bridge", clock }).park({ ...look, key: "k" }, "why", "text"),
      theirs: () =>
        sqs().send(
          new SendMessageCommand({
            QueueUrl: queueUrl,
            MessageBody: "text",
            MessageAttributes: {
              Reason: { DataType: "String", StringValue: "why" },
              Key: { DataType: "String", StringValue: "k" },
              BridgeId: { DataType: "String", StringValue: "bridge" },
              ParkedAt: { DataType: "String", StringValue: new Date(clock.now()).toISOString() },
            },
          }),
        ),
      answer: json({ MessageId: "m", MD5OfMessageBody: md5("text") }),
    },
  ],
  [
    "SendMessageBatch",
    {
      ours: () => outage().add([look]),
      theirs: () => sqs().send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: [entry] })),
      answer: json({ Successful: [{ Id: "0", ...stored }] }),
    },
  ],
  [
    "DeleteMessageBatch",
    {
      ours: () => outage().remove([{ look, handle: "h" }]),
      theirs: () => sqs().send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: [{ Id: "0", ReceiptHandle: "h" }] })),
      answer: json({ Successful: [{ Id: "0" }] }),
    },
  ],
  [
    "ReceiveMessage",
    {
      ours: () => outage().receive(),
      theirs: () => {
        const limits = { MaxNumberOfMessages: 10, VisibilityTimeout: 45, WaitTimeSeconds: 1 };
        return sqs().send(new ReceiveMessageCommand({ QueueUrl: queueUrl, ...limits }));
      },
      answer: json({ Messages: [{ Body: body, ReceiptHandle: "h", MD5OfBody: md5(body) }] }),
    },
  ],
  [
    "GetQueueAttributes",
    {
      ours: () => outage().isEmpty(),
      theirs: () => {
        const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
        return sqs().send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...AttributeNames] }));
      },
      answer: json({ Attributes: counts }),
    },
  ],
  [
    "GetParameter",
    {
      ours: () => readParameters(api)("/bridge/a b")(),
      theirs: () => new SSMClient(sdk).send(new GetParameterCommand({ Name: "/bridge/a b", WithDecryption: true })),
      answer: json({ Parameter: { Value: "value" } }),
    },
  ],
  [
    "Invoke",
    {
      ours: () => createCopyLauncher(api, "arn:aws-cn:lambda:cn-north-1:1:function:a+b").start(job),
      theirs: () =>
        new LambdaClient(sdk).send(
          new InvokeCommand({
            FunctionName: "arn:aws-cn:lambda:cn-north-1:1:function:a+b",
            InvocationType: "Event",
            Payload: Buffer.from(JSON.stringify(job)),
          }),
        ),
      answer: status(202),
    },
  ],
];

test.each(CALLS)("%s is the request that AWS's client sends", async (_name, { ours, theirs, answer }) => {
  server.answer(answer, answer);
  await ours();
  await theirs();
  const [first, second] = server.seen as [SeenRequest, SeenRequest];
  expect(essence(first)).toEqual(essence(second));
  expect(first.headers.authorization).toBe(await signatureOf(first));
});

const REFUSALS: [string, string, Answer][] = [
  ["SendMessage", "a queue that is not there", json({ __type: "com.amazonaws.sqs#QueueDoesNotExist", message: "m" }, 400)],
  ["SendMessage", "a throttled queue", json({ __type: "com.amazonaws.sqs#RequestThrottled", message: "m" }, 403)],
  ["SendMessage", "a refused key", json({ __type: "com.amazon.coral.service#AccessDeniedException", Message: "m" }, 400)],
  ["SendMessage", "a message that is too large", json({ __type: "com.amazonaws.sqs#InvalidParameterValue" }, 400)],
  ["SendMessage", "a queue whose key throttles", json({ __type: "com.amazonaws.sqs#KmsThrottled", message: "m" }, 400)],
  ["SendMessage", "an outage", json({ __type: "com.amazon.coral.service#InternalFailure" }, 500)],
  ["GetParameter", "a missing parameter", json({ __type: "ParameterNotFound" }, 400)],
  ["GetParameter", "a code without a namespace", json({ __type: "ThrottlingException", message: "Rate exceeded" }, 400)],
  ["GetParameter", "an expired token", json({ __type: "ExpiredTokenException", message: "expired" }, 400)],
  [
    "Invoke",
    "too many invocations",
    json({ Reason: "x", message: "m" }, 429, { "x-amzn-errortype": "TooManyRequestsException" }),
  ],
  [
    "Invoke",
    "a function that is not there",
    json({ Message: "m" }, 404, { "x-amzn-errortype": "ResourceNotFoundException:http://internal.amazon.com/coral/" }),
  ],
  ["Invoke", "an event that is too large", json({ message: "m" }, 413, { "x-amzn-errortype": "RequestTooLargeException" })],
  ["Invoke", "a code in the body", json({ code: "InvalidParameterValueException", message: "m" }, 400)],
  ["Invoke", "an outage", json({ message: "m" }, 502, { "x-amzn-errortype": "EC2UnexpectedException" })],
];

test.each(REFUSALS)("%s, %s: the same kind of error as with AWS's client", async (name, _what, answer) => {
  const call = CALLS.find(([known]) => known === name)?.[1];
  server.answer(answer, answer, answer);
  const ours = (await call?.ours().catch((error: unknown) => error)) as BridgeError;
  server.answer(answer);
  const theirs = toBridgeError("op", "", await call?.theirs().catch((error: unknown) => error));
  expect([ours.name, ours.kind, ours.retryable]).toEqual(["BridgeError", theirs.kind, theirs.retryable]);
  // The name of the error, and the status.
  expect(ours.message).toContain(theirs.message);
});

describe("repeats", () => {
  const call = () => readParameters(api)("/p")();
  const value = json({ Parameter: { Value: "value" } });

  test.each<[string, Answer]>([
    ["a throttled call", json({ __type: "ThrottlingException" }, 400)],
    ["a call that was answered 503", status(503)],
    ["a call whose connection broke", (_request, response) => void response.destroy()],
    [
      "a call whose answer broke off",
      (_request, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("{", () => response.destroy());
      },
    ],
    ["a call whose signature came too late", json({ __type: "InvalidSignatureException", message: "Signature expired: x" }, 400)],
  ])("%s, and waits before", async (_name, failure) => {
    server.answer(failure, failure, value);
    expect(await call()).toBe("value");
    expect(waits).toEqual([100, 200]);
  });

  test("no call more than three times", async () => {
    server.answer(status(503), status(503), status(503), value);
    await expect(call()).rejects.toMatchObject({ kind: "Unavailable", message: expect.stringContaining("(503)") });
    expect(server.seen).toHaveLength(3);
  });

  test("no call that was refused", async () => {
    server.answer(json({ __type: "InvalidSignatureException", message: "The request signature does not match" }, 400), value);
    await expect(call()).rejects.toMatchObject({ kind: "PermissionDenied" });
    expect(server.seen).toHaveLength(1);
  });
});

test("an answer that quotes the request is in no error", async () => {
  server.answer(json({ __type: "ValidationException", message: "very-secret" }, 400));
  const error = await readParameters(api)("/p")().catch((caught: unknown) => caught);
  expect(JSON.stringify([(error as Error).message, (error as Error).cause])).not.toContain("very-secret");
});

/** A client's handler that sends nothing, and tells where the request would have gone. */
function hostCatcher() {
  let origin = "";
  const handle = async ({ protocol, hostname, port }: { protocol: string; hostname: string; port?: number }) => {
    origin = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`;
    throw new Error("not sent");
  };
  return { requestHandler: { handle }, origin: () => origin };
}

async function ssmHost(region: string): Promise<string> {
  const { requestHandler, origin } = hostCatcher();
  const client = new SSMClient({ region, credentials: CREDENTIALS, requestHandler });
  await expect(client.send(new GetParameterCommand({ Name: "p" }))).rejects.toThrow("not sent");
  return origin();
}

async function lambdaHost(region: string): Promise<string> {
  const { requestHandler, origin } = hostCatcher();
  const client = new LambdaClient({ region, credentials: CREDENTIALS, requestHandler });
  await expect(client.send(new InvokeCommand({ FunctionName: "f" }))).rejects.toThrow("not sent");
  return origin();
}

describe("endpoints", () => {
  test.each<[string, Record<string, string>, "ssm" | "lambda", string]>([
    ["us-east-1", {}, "ssm", "https://ssm.us-east-1.amazonaws.com"],
    ["cn-northwest-1", {}, "lambda", "https://lambda.cn-northwest-1.amazonaws.com.cn"],
    ["us-east-1", { AWS_ENDPOINT_URL: "http://localhost:1/" }, "ssm", "http://localhost:1"],
    [
      "us-east-1",
      { AWS_ENDPOINT_URL: "http://localhost:1", AWS_ENDPOINT_URL_SSM: "http://localhost:2" },
      "ssm",
      "http://localhost:2",
    ],
    ["us-east-1", { AWS_ENDPOINT_URL_SSM: "http://localhost:2" }, "lambda", "https://lambda.us-east-1.amazonaws.com"],
  ])("%s with %j: %s is at %s", async (region, env, service, origin) => {
    expect(readEndpoint(env, region)(service)).toBe(origin);
    const names = Object.keys(process.env).filter((name) => name.startsWith("AWS_ENDPOINT_URL"));
    expect(names).toEqual([]);
    Object.assign(process.env, env);
    try {
      expect(await (service === "ssm" ? ssmHost(region) : lambdaHost(region))).toBe(origin);
    } finally {
      for (const name of Object.keys(env)) delete process.env[name];
    }
  });

  test("a queue is asked at the host of its URL, whatever the environment says, as AWS's client does", async () => {
    const elsewhere = createAwsApi({
      region: REGION,
      credentials: () => CREDENTIALS,
      endpointOf: () => "http://127.0.0.1:1",
      dispatcher,
    });
    server.answer(json(stored), json(stored));
    await createWorkQueue(elsewhere, queueUrl).enqueue(look, 0);
    const logger = { warn: () => undefined, debug: () => undefined, info: () => undefined, error: () => undefined };
    process.env.AWS_ENDPOINT_URL_SQS = "http://127.0.0.1:1";
    try {
      await new SQSClient({ region: REGION, credentials: CREDENTIALS, logger }).send(
        new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body, DelaySeconds: 0 }),
      );
    } finally {
      delete process.env.AWS_ENDPOINT_URL_SQS;
    }
    expect(server.seen.map(({ headers }) => headers.host)).toEqual(Array(2).fill(new URL(server.endpoint).host));
  });
});

describe("a message whose MD5 differs from SQS's", () => {
  test("that was sent is an error, which is retryable", async () => {
    server.answer(json({ MessageId: "m", MD5OfMessageBody: md5("other") }));
    await expect(createWorkQueue(api, queueUrl).enqueue(look, 0)).rejects.toMatchObject({ kind: "Corrupted", retryable: true });
  });

  test("that was sent in a batch is one as well", async () => {
    server.answer(json({ Successful: [{ Id: "0", MessageId: "m", MD5OfMessageBody: md5("other") }] }));
    await expect(outage().add([look])).rejects.toMatchObject({ kind: "Corrupted" });
  });

  test("that was received is one as well, and is not removed", async () => {
    server.answer(json({ Messages: [{ Body: body, ReceiptHandle: "h", MD5OfBody: md5("other") }] }));
    await expect(outage().receive()).rejects.toMatchObject({ kind: "Corrupted" });
    expect(server.seen).toHaveLength(1);
  });

  test("an answer of another service is not taken for SQS's", async () => {
    server.answer(status(200, {}, "<html>"));
    await expect(createWorkQueue(api, queueUrl).enqueue(look, 0)).rejects.toThrow(/no MD5: this is no endpoint of SQS/);
  });
});
