import type { APIGatewayProxyEvent } from "aws-lambda";
import { toEndpointRequest } from "../../../../runtime/platforms/aws-lambda/http";
import { createReceiverHandler } from "../../../../runtime/platforms/aws-lambda/receiver-handler";
import { createSenderHandler } from "../../../../runtime/platforms/aws-lambda/sender-handler";
import type { DecodedRecord } from "../../../../runtime/protocol/events";
import { encodeLook } from "../../../../runtime/protocol/queue-messages";
import type { EndpointRequest } from "../../../../runtime/roles/receiver/endpoint";
import type { Sender } from "../../../../runtime/roles/sender/sender";
import { recordingLogger } from "../../support/recording-logger";

const context = { getRemainingTimeInMillis: () => 12_345 };

describe("sender", () => {
  const batch = {
    Records: ["a", "b"].map((key, index) => ({
      eventSource: "aws:sqs",
      messageId: `m${index + 1}`,
      body: encodeLook({ key, attempt: 0, firstSeenMs: 1 }),
    })),
  };
  const direct = { Records: [{ eventSource: "aws:s3", s3: { bucket: { name: "photos" }, object: { key: "a+b" } } }] };

  function setUp(failures: string[] | Error) {
    const seen: { records: readonly DecodedRecord[]; remainingMs: number }[] = [];
    const logger = recordingLogger();
    let flushes = 0;
    const sender: Pick<Sender, "handle"> = {
      handle: async (records, { remainingMs }) => {
        seen.push({ records, remainingMs: remainingMs() });
        if (failures instanceof Error) throw failures;
        return { failures: failures.map((messageId) => ({ messageId, reason: "the receiver is down" })) };
      },
    };
    const handler = createSenderHandler({
      sender,
      logger,
      flush: () => {
        flushes += 1;
      },
    });
    return { handler, logger, seen, flushes: () => flushes };
  }

  test("messages that failed come back, the others are acknowledged", async () => {
    const { handler, seen, flushes } = setUp(["m2"]);
    expect(await handler(batch, context)).toEqual({ batchItemFailures: [{ itemIdentifier: "m2" }] });
    expect(seen).toEqual([
      {
        records: [
          { messageId: "m1", looks: [{ key: "a", attempt: 0, firstSeenMs: 1 }] },
          { messageId: "m2", looks: [{ key: "b", attempt: 0, firstSeenMs: 1 }] },
        ],
        remainingMs: 12_345,
      },
    ]);
    expect(flushes()).toBe(1);
  });

  test("all done", async () => {
    expect(await setUp([]).handler(batch, context)).toEqual({ batchItemFailures: [] });
  });

  test("a failure of the sender itself brings every message back, and does not kill the function", async () => {
    const { handler, logger, flushes } = setUp(new Error("broken"));
    expect(await handler(batch, context)).toEqual({ batchItemFailures: [{ itemIdentifier: "m1" }, { itemIdentifier: "m2" }] });
    expect(logger.lines).toMatchObject([{ level: "error", fields: { error: new Error("broken") } }]);
    expect(flushes()).toBe(1);
  });

  test("a failure that names no message of the batch brings all back", async () => {
    expect(await setUp([""]).handler(batch, context)).toEqual({
      batchItemFailures: [{ itemIdentifier: "m1" }, { itemIdentifier: "m2" }],
    });
  });

  test("without a queue, done is silent and failed throws for Lambda's own retries", async () => {
    expect(await setUp([]).handler(direct, context)).toBeUndefined();
    const failing = setUp([""]);
    // Lambda hands this text to the failure destination.
    await expect(failing.handler(direct, context)).rejects.toThrow("the receiver is down");
    expect(failing.flushes()).toBe(1);
    await expect(setUp(new Error("broken")).handler(direct, context)).rejects.toThrow(/failed unexpectedly/);
  });
});

describe("receiver", () => {
  const event = {
    httpMethod: "POST",
    path: "/replicate",
    headers: { "Webhook-Id": "last" },
    multiValueHeaders: { "Webhook-Id": ["first", "last"], "Content-Type": ["application/json"] },
    body: '{"a":"中"}',
    isBase64Encoded: false,
    requestContext: { identity: { sourceIp: "203.0.113.7" } },
  } as unknown as APIGatewayProxyEvent;

  test("an event becomes a request: bytes, lower-case headers, the platform's address", () => {
    expect(toEndpointRequest(event)).toEqual({
      method: "POST",
      path: "/replicate",
      headers: { "webhook-id": "first, last", "content-type": "application/json" },
      rawBody: Buffer.from('{"a":"中"}'),
      sourceIp: "203.0.113.7",
    });
  });

  test.each<[string, Partial<Record<keyof APIGatewayProxyEvent, unknown>>, Partial<EndpointRequest>]>([
    [
      "base64",
      { body: Buffer.from([0xff, 0x00]).toString("base64"), isBase64Encoded: true },
      { rawBody: Buffer.from([0xff, 0x00]) },
    ],
    ["no body", { body: null }, { rawBody: Buffer.alloc(0) }],
    ["no multi-value headers", { multiValueHeaders: null }, { headers: { "webhook-id": "last" } }],
    ["no headers", { multiValueHeaders: null, headers: null }, { headers: {} }],
    [
      "two spellings of one name",
      { multiValueHeaders: null, headers: { "webhook-id": "a", "Webhook-Id": "b" } },
      { headers: { "webhook-id": "a, b" } },
    ],
  ])("%s", (_name, change, expected) => {
    expect(toEndpointRequest({ ...event, ...change } as APIGatewayProxyEvent)).toMatchObject(expected);
  });

  test("no address", () => {
    expect(toEndpointRequest({ ...event, requestContext: {} } as unknown as APIGatewayProxyEvent)).not.toHaveProperty("sourceIp");
  });

  test("the answer in the platform's words", async () => {
    const seen: number[] = [];
    const handler = createReceiverHandler(async (_request, { remainingMs }) => {
      seen.push(remainingMs());
      return { status: 401, headers: { "content-type": "application/json" }, body: "{}" };
    });
    expect(await handler(event, context)).toEqual({
      statusCode: 401,
      headers: { "content-type": "application/json" },
      body: "{}",
      isBase64Encoded: false,
    });
    expect(seen).toEqual([12_345]);
  });
});
