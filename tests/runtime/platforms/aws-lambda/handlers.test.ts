import type { APIGatewayProxyEvent } from "aws-lambda";
import { createHttpHandler, toEndpointRequest } from "../../../../runtime/platforms/aws-lambda/http";
import { createHandler } from "../../../../runtime/platforms/aws-lambda/start";
import type { EndpointRequest } from "../../../../runtime/roles/receiver/endpoint";

test("every handler knows its remaining time and writes its metrics, also when it fails", async () => {
  const flushed: string[] = [];
  const metrics = { add: () => undefined, flush: () => void flushed.push("flush") };
  const context = { getRemainingTimeInMillis: () => 12_345 };
  const handler = createHandler(async (event: string, { remainingMs }) => [event, remainingMs()], metrics);
  expect(await handler("event", context)).toEqual(["event", 12_345]);
  const failing = createHandler(async () => {
    throw new Error("broken");
  }, metrics);
  await expect(failing("event", context)).rejects.toThrow("broken");
  expect(flushed).toEqual(["flush", "flush"]);
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
    const { sourceIp } = toEndpointRequest({ ...event, requestContext: {} } as unknown as APIGatewayProxyEvent);
    expect(sourceIp).toBeUndefined();
  });

  test("the answer in the platform's form", async () => {
    const seen: number[] = [];
    const handler = createHttpHandler(async (_request, { remainingMs }) => {
      seen.push(remainingMs());
      return { status: 401, headers: { "content-type": "application/json" }, body: "{}" };
    });
    expect(await handler(event, { remainingMs: () => 12_345 })).toEqual({
      statusCode: 401,
      headers: { "content-type": "application/json" },
      body: "{}",
      isBase64Encoded: false,
    });
    expect(seen).toEqual([12_345]);
  });
});
