import { inspect } from "node:util";
import { createInvokeSigner, createSecrets } from "../../../../runtime/platforms/auth";
import type { JsonCall } from "../../../../runtime/platforms/aws-lambda/api";
import { controlError, toBridgeError } from "../../../../runtime/platforms/aws-lambda/errors";
import { createDeadLetterQueue, createWorkQueue } from "../../../../runtime/platforms/aws-lambda/queues";
import { createCopyLauncher, readParameters } from "../../../../runtime/platforms/aws-lambda/services";
import { openStore, ownCredentials } from "../../../../runtime/platforms/aws-lambda/start";
import { parseCopyJob } from "../../../../runtime/platforms/copier-handler";
import type { CopyJob } from "../../../../runtime/protocol/ports";
import { decodeLook, encodeLook } from "../../../../runtime/protocol/queue-messages";
import { generateSecret } from "../../../../runtime/protocol/signing";
import { VirtualTime } from "../../../support/virtual-time";
import { recordingLogger } from "../../support/recording-logger";
import { recordingApi, storedAnswer } from "./recording-api";

function sdkError(name: string, status?: number): Error {
  return Object.assign(new Error("quotes the request: very-secret"), {
    name,
    $metadata: status === undefined ? {} : { httpStatusCode: status },
  });
}

const refused = (code: string, status = 400) => controlError("op", "the thing", { code, status });

const look = { key: "a b+c%20/中文", failures: 2, firstSeenMs: 1_700_000_000_000 };

describe("work queue", () => {
  test.each([
    [0, 0],
    [1.2, 2],
    [900, 900],
    [5000, 900],
    [-1, 0],
  ])("a look with a delay of %p s is stored with %p s", async (asked, stored) => {
    const api = recordingApi(storedAnswer(encodeLook(look)));
    await createWorkQueue(api, "https://queue").enqueue(look, asked);
    const input = { QueueUrl: "https://queue", MessageBody: encodeLook(look), DelaySeconds: stored };
    expect(api.calls).toEqual([{ action: "SendMessage", input }]);
    expect(decodeLook(input.MessageBody)).toEqual(look);
  });

  test("a failure is not swallowed", async () => {
    const queue = createWorkQueue(recordingApi(refused("ThrottlingException")), "https://queue");
    await expect(queue.enqueue(look, 0)).rejects.toMatchObject({ name: "BridgeError", kind: "RateLimited" });
  });
});

describe("dead-letter queue", () => {
  const park = async (key: string, reason: string, original?: string) => {
    const calls: JsonCall[] = [];
    const sqs = async (call: JsonCall) => {
      calls.push(call);
      return storedAnswer(String(call.input.MessageBody));
    };
    const clock = new VirtualTime();
    await createDeadLetterQueue({ sqs }, { queueUrl: "https://dead", bridgeId: "bridge", clock }).park(
      { ...look, key },
      reason,
      original,
    );
    return calls[0]?.input as unknown as {
      MessageBody: string;
      MessageAttributes: Record<string, { DataType: string; StringValue: string }>;
    };
  };

  test("the body is the look, the attributes are for people", async () => {
    const message = await park(look.key, "rejected: too large");
    expect(decodeLook(message.MessageBody)).toEqual({ key: look.key, failures: 0 });
    expect(message.MessageAttributes).toEqual({
      Reason: { DataType: "String", StringValue: "rejected: too large" },
      Key: { DataType: "String", StringValue: "a%20b%2Bc%2520%2F%E4%B8%AD%E6%96%87" },
      BridgeId: { DataType: "String", StringValue: "bridge" },
      ParkedAt: { DataType: "String", StringValue: "2026-03-01T00:00:00.000Z" },
    });
  });

  test("a reason that SQS would refuse is made storable", async () => {
    const message = await park("a", `bad\u0000\u0008\ufffe\ud800 ${"🚀".repeat(2000)}`);
    const reason = message.MessageAttributes.Reason?.StringValue ?? "";
    expect(reason).toMatch(/^bad\ufffd{4} 🚀+$/u);
    expect([...reason]).toHaveLength(1024);
  });

  test("empty values are left out, because SQS refuses them", async () => {
    const message = await park("", "");
    expect(message.MessageAttributes).not.toHaveProperty("Key");
    expect(message.MessageAttributes.Reason?.StringValue).toBe("unknown");
  });

  test("an unreadable message is kept, with the characters replaced that SQS refuses", async () => {
    expect((await park("", "not JSON", "{stray\u0000")).MessageBody).toBe("{stray\ufffd");
    expect(decodeLook((await park("a", "empty", "")).MessageBody).key).toBe("a");
  });

  test("half a surrogate pair in a key does not lose the message", async () => {
    expect((await park("a\ud800", "x")).MessageAttributes.Key?.StringValue).toBe("a%EF%BF%BD");
  });

  test("a failure is not swallowed", async () => {
    const queue = createDeadLetterQueue(recordingApi(refused("AccessDenied", 403)), {
      queueUrl: "q",
      bridgeId: "b",
      clock: new VirtualTime(),
    });
    await expect(queue.park(look, "x")).rejects.toMatchObject({ kind: "PermissionDenied" });
  });
});

describe("launcher", () => {
  const job: CopyJob = {
    execution: "x1",
    key: "copies/a b",
    sourceKey: "a b",
    url: "https://source.example.com/a?sig",
    snapshot: { etag: "e", sizeBytes: 1, lastModified: "2026-03-01T00:00:00Z", headers: {}, metadata: {}, tags: {} },
  };

  test("invokes the copier asynchronously with the copy job as event", async () => {
    const api = recordingApi(undefined, 202);
    await createCopyLauncher(api, "copier").start(job);
    expect(api.requests).toMatchObject([
      { service: "lambda", path: "/2015-03-31/functions/copier/invocations", headers: { "x-amz-invocation-type": "Event" } },
    ]);
    expect(parseCopyJob(JSON.parse(api.requests[0]?.body ?? ""))).toEqual(job);
  });

  test("any status but 202 is a failure", async () => {
    await expect(createCopyLauncher(recordingApi(undefined, 200), "copier").start(job)).rejects.toMatchObject({
      kind: "Unavailable",
      message: "starting the copier copier was answered 200, not 202",
    });
    const throttled = createCopyLauncher(recordingApi(refused("TooManyRequestsException", 429)), "copier");
    await expect(throttled.start(job)).rejects.toMatchObject({ kind: "RateLimited" });
  });

  test("an event that is no copy job is refused without showing it", () => {
    expect(() => parseCopyJob({ ...job, snapshot: { ...job.snapshot, etag: "" } })).toThrow(/snapshot\.etag/);
    expect(() => parseCopyJob({ ...job, extra: "very-secret" })).toThrow(/^the copier's event does not fit: \(root\)$/);
    expect(() => parseCopyJob(null)).toThrow(/does not fit/);
    expect(() => parseCopyJob("{very-secret")).toThrow(/^the copier's event is not JSON$/);
  });
});

describe("secrets", () => {
  test("are read decrypted, by name", async () => {
    const api = recordingApi({ Parameter: { Value: "value" } });
    expect(await readParameters(api)("/bridge/signing")()).toBe("value");
    expect(api.calls).toEqual([{ action: "GetParameter", input: { Name: "/bridge/signing", WithDecryption: true } }]);
  });

  test.each([
    ["empty", { Parameter: {} }],
    ["of another service", undefined],
  ])("an answer that is %s: the error names the parameter", async (_name, answer) => {
    const error = await readParameters(recordingApi(answer))("/bridge/signing")().catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      kind: "NotFound",
      message: "the SSM parameter /bridge/signing cannot be read: it has no value",
    });
  });

  test("become signing secrets, are cached, and appear in no error", async () => {
    const ssm = recordingApi({ Parameter: { Value: `${generateSecret()} ${generateSecret()}` } });
    const source = createSecrets({
      auth: { kind: "token", parameter: "/p" },
      clock: new VirtualTime(),
      logger: recordingLogger(),
      readParameter: readParameters(ssm),
    });
    expect(await source()).toHaveLength(2);
    await source();
    expect(ssm.calls).toHaveLength(1);

    const logger = recordingLogger();
    const bad = recordingApi({ Parameter: { Value: "very-secret" } });
    const readParameter = readParameters(bad);
    const broken = createSecrets({ auth: { kind: "token", parameter: "/p" }, clock: new VirtualTime(), logger, readParameter });
    const error = await broken().catch((caught: unknown) => caught);
    expect(inspect([error, logger.lines], { depth: 9 })).not.toContain("very-secret");
  });
});

describe("the platform's own signature", () => {
  const base = { clock: new VirtualTime(), logger: recordingLogger() };
  const own = () => ({ accessKeyId: "ASIAOWN000000000", secretAccessKey: "own-secret-access-key", sessionToken: "own-token" });
  const post = { url: new URL("https://api.example.com/x"), headers: {}, body: "{}" };

  test("auth token: no signer", () => {
    const auth = { kind: "token" as const, parameter: "/p" };
    expect(createInvokeSigner({ ...base, auth, readParameter: readParameters(recordingApi({})) }, own)).toBeUndefined();
  });

  test("with invokerParameter: the invoker's key signs", async () => {
    const value = JSON.stringify({ accessKeyId: "AKIAINVOKER00000", secretAccessKey: "invoker-secret-key" });
    const ssm = recordingApi({ Parameter: { Value: value } });
    const auth = { kind: "iam" as const, parameter: "/p", invokerParameter: "/invoker", region: "cn-north-1" };
    const headers = await createInvokeSigner({ ...base, auth, readParameter: readParameters(ssm) }, own)?.(post);
    expect(headers?.authorization).toContain("Credential=AKIAINVOKER00000/20260301/cn-north-1/execute-api/");
    expect(ssm.calls).toEqual([{ action: "GetParameter", input: { Name: "/invoker", WithDecryption: true } }]);
  });

  test("without invokerParameter: the function's own role signs", async () => {
    const auth = { kind: "iam" as const, parameter: "/p", region: "us-east-1" };
    const headers = await createInvokeSigner({ ...base, auth, readParameter: readParameters(recordingApi({})) }, own)?.(post);
    expect(headers).toMatchObject({
      authorization: expect.stringContaining("Credential=ASIAOWN000000000/"),
      "x-amz-security-token": "own-token",
    });
  });

  test("outside AWS without invokerParameter: refused", () => {
    const auth = { kind: "iam" as const, parameter: "/p", region: "cn-north-1" };
    const refused = () => createInvokeSigner({ ...base, auth, readParameter: readParameters(recordingApi({})) });
    expect(refused).toThrow(/needs auth\.invokerParameter/);
  });

  test("the function's own credentials are read from the environment", () => {
    expect(ownCredentials({ AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "s", AWS_SESSION_TOKEN: "t" })).toEqual({
      accessKeyId: "a",
      secretAccessKey: "s",
      sessionToken: "t",
    });
    expect(() => ownCredentials({})).toThrow(/AWS_ACCESS_KEY_ID/);
  });
});

test.each([
  ["TooManyRequestsException", 429, "RateLimited"],
  ["AWS.SimpleQueueService.NonExistentQueue", 400, "NotFound"],
  ["QueueDoesNotExist", 400, "NotFound"],
  ["ResourceNotFoundException", 404, "NotFound"],
  ["RequestTooLargeException", 413, "Invalid"],
  ["InvalidParameterValueException", 400, "Invalid"],
  ["ExpiredTokenException", 403, "PermissionDenied"],
  ["Whatever", 403, "PermissionDenied"],
  ["ServiceException", 500, "Unavailable"],
  ["Whatever", 418, "Unexpected"],
  ["TimeoutError", undefined, "Unavailable"],
])("%s (%p) is %s", (name, status, kind) => {
  const error = toBridgeError("op", "the thing", sdkError(name, status));
  expect(error).toMatchObject({ kind, op: "op", message: `the thing: ${name}${status === undefined ? "" : ` (${status})`}` });
});

test("a store that Lambda does not serve is refused by name", () => {
  expect(() => openStore({ kind: "oss", bucket: "b", region: "cn-hangzhou", versioned: true, network: "public" }, {})).toThrow(
    /AWS Lambda serves s3 stores, not oss/,
  );
  expect(openStore({ kind: "s3", bucket: "b", region: "cn-north-1" }, {}).capabilities.conditionalWrites).toBe(true);
});

describe("presigned URLs", () => {
  const env = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };

  test("carry the endpoint that the other side reads", async () => {
    const store = openStore(
      { kind: "s3", bucket: "photos", region: "cn-north-1", presignEndpoint: "https://s3.example.com" },
      env,
    );
    expect(await store.presignGet("a b", { expiresInSeconds: 60 })).toMatch(/^https:\/\/s3\.example\.com\/photos\/a%20b\?/);
  });

  test("carry the partition's own host otherwise", async () => {
    const store = openStore({ kind: "s3", bucket: "photos", region: "cn-north-1" }, env);
    expect(await store.presignGet("a", { expiresInSeconds: 60 })).toMatch(
      /^https:\/\/photos\.s3\.cn-north-1\.amazonaws\.com\.cn\/a\?/,
    );
  });
});
