import { createHandler, createOwnCredentials } from "../../../../runtime/platforms/alicloud-fc/handler";
import { createHttpHandler, toEndpointRequest } from "../../../../runtime/platforms/alicloud-fc/http";
import { VirtualTime } from "../../../support/virtual-time";
import { KEY } from "./support";

describe("every handler", () => {
  test("counts the time from the beginning of the invocation, has the newest credentials, and writes its metrics", async () => {
    const clock = new VirtualTime();
    const credentials = createOwnCredentials();
    expect(() => credentials.current()).toThrow(/give it a role/);
    const flushed: string[] = [];
    const metrics = { flush: () => void flushed.push("flush") };
    const handler = createHandler({ clock, credentials, metrics }, async (event, { remainingMs }) => {
      clock.advance(1_500);
      return [event, remainingMs(), credentials.current().accessKeyId];
    });
    const context = { function: { timeout: 10 }, credentials: KEY };
    expect(await handler(Buffer.from("中"), context)).toEqual(["中", 8_500, "STS.key"]);
    expect(await handler(Buffer.from(""), { ...context, credentials: { ...KEY, accessKeyId: "STS.new" } })).toEqual([
      "",
      8_500,
      "STS.new",
    ]);
    // A context without credentials keeps the last ones.
    expect(await handler(Buffer.from(""), { function: { timeout: 2 } })).toEqual(["", 500, "STS.new"]);
    expect(flushed).toHaveLength(3);
  });

  test("a failure of the work fails the invocation, and metrics are still written", async () => {
    const flush = jest.fn();
    const deps = { clock: new VirtualTime(), credentials: createOwnCredentials(), metrics: { flush } };
    const handler = createHandler(deps, async () => {
      throw new Error("the receiver is down");
    });
    await expect(handler(Buffer.from(""), { function: { timeout: 1 } })).rejects.toThrow("the receiver is down");
    expect(flush).toHaveBeenCalledTimes(1);
  });
});

describe("requests", () => {
  const event = {
    version: "v1",
    rawPath: "/replicate",
    body: '{"a":"中"}',
    isBase64Encoded: false,
    headers: { "Webhook-Id": "first,last", "Content-Type": "application/json" },
    queryParameters: {},
    requestContext: { accountId: "3", http: { method: "POST", path: "/replicate", sourceIp: "203.0.113.7" }, requestId: "1" },
  };

  test("an event becomes a request: bytes, headers, the platform's address", () => {
    expect(toEndpointRequest(JSON.stringify(event))).toEqual({
      method: "POST",
      path: "/replicate",
      headers: { "Webhook-Id": "first,last", "Content-Type": "application/json" },
      rawBody: Buffer.from('{"a":"中"}'),
      sourceIp: "203.0.113.7",
    });
  });

  test("base64, no body, no address", () => {
    const encoded = { ...event, body: Buffer.from([0xff, 0x00]).toString("base64"), isBase64Encoded: true };
    expect(toEndpointRequest(JSON.stringify(encoded)).rawBody).toEqual(Buffer.from([0xff, 0x00]));
    const bare = toEndpointRequest(JSON.stringify({ requestContext: { http: { method: "GET" } } }));
    expect(bare).toEqual({ method: "GET", path: "/", headers: {}, rawBody: Buffer.alloc(0) });
  });

  test.each(["{very-secret", "null", '{"key":"very-secret"}'])("%p was sent by no HTTP trigger", (text) => {
    expect(() => toEndpointRequest(text)).toThrow(/^the event is not one of an HTTP trigger$/);
  });

  test("the answer in the platform's form", async () => {
    const seen: number[] = [];
    const handler = createHttpHandler(async (_request, { remainingMs }) => {
      seen.push(remainingMs());
      return { status: 429, headers: { "retry-after": "2" }, body: "{}" };
    });
    expect(await handler(JSON.stringify(event), { remainingMs: () => 12_345 })).toEqual({
      statusCode: 429,
      headers: { "retry-after": "2" },
      body: "{}",
      isBase64Encoded: false,
    });
    expect(seen).toEqual([12_345]);
  });
});
