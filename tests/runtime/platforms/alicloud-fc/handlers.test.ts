import { createOwnCredentials } from "../../../../runtime/platforms/alicloud-fc/credentials";
import { createEventHandler } from "../../../../runtime/platforms/alicloud-fc/event-handler";
import { createHandler } from "../../../../runtime/platforms/alicloud-fc/handler";
import { createHttpHandler, toEndpointRequest } from "../../../../runtime/platforms/alicloud-fc/http";
import { createPusherHandler } from "../../../../runtime/platforms/alicloud-fc/pusher-handler";
import type { DecodedRecord } from "../../../../runtime/protocol/events";
import type { PushState } from "../../../../runtime/protocol/push";
import { ManualClock } from "../../support/clock";
import { recordingLogger } from "../../support/recording-logger";
import { KEY } from "./support";

const invocation = (event: unknown) => ({
  text: typeof event === "string" ? event : JSON.stringify(event),
  remainingMs: () => 12_345,
});

describe("every handler", () => {
  test("counts the time from the beginning of the invocation, and has the newest credentials", async () => {
    const clock = new ManualClock();
    const credentials = createOwnCredentials();
    expect(() => credentials.current()).toThrow(/give it a role/);
    const handler = createHandler({ clock, credentials }, async ({ text, remainingMs }) => {
      clock.advance(1_500);
      return [text, remainingMs(), credentials.current().accessKeyId];
    });
    const context = { function: { timeout: 10 }, credentials: KEY };
    expect(await handler(Buffer.from("中"), context)).toEqual(["中", 8_500, "STS.key"]);
    expect(await handler(Buffer.from(""), { ...context, credentials: { ...KEY, accessKeyId: "STS.new" } })).toEqual([
      "",
      8_500,
      "STS.new",
    ]);
    // A context without credentials takes none away.
    expect(await handler(Buffer.from(""), { function: { timeout: 2 } })).toEqual(["", 500, "STS.new"]);
  });

  test("what the work throws is the invocation's failure", async () => {
    const handler = createHandler({ clock: new ManualClock(), credentials: createOwnCredentials() }, async () => {
      throw new Error("the receiver is down");
    });
    await expect(handler(Buffer.from(""), { function: { timeout: 1 } })).rejects.toThrow("the receiver is down");
  });
});

describe("events of the source", () => {
  function setUp(outcome: string[] | Error) {
    const seen: { records: readonly DecodedRecord[]; remainingMs: number }[] = [];
    const logger = recordingLogger();
    let flushes = 0;
    const handler = createEventHandler({
      logger,
      flush: () => {
        flushes += 1;
      },
      work: async (records, { remainingMs }) => {
        seen.push({ records, remainingMs: remainingMs() });
        if (outcome instanceof Error) throw outcome;
        return { failures: outcome.map((reason) => ({ messageId: "", reason })) };
      },
    });
    return { handler, logger, seen, flushes: () => flushes };
  }

  const event = {
    events: [
      {
        eventName: "ObjectCreated:PutObject",
        eventSource: "acs:oss",
        oss: { bucket: { name: "photos" }, object: { key: "a" } },
        responseElements: { requestId: "R1" },
      },
    ],
  };

  test("reach the role decoded", async () => {
    const { handler, seen, flushes } = setUp([]);
    expect(await handler(invocation(event))).toBeUndefined();
    expect(seen).toEqual([
      { records: [{ looks: [{ bucket: "photos", key: "a", attempt: 0, eventId: "R1" }] }], remainingMs: 12_345 },
    ]);
    expect(flushes()).toBe(1);
  });

  test("what fails comes back, with each reason once", async () => {
    const { handler, flushes } = setUp(["the receiver is down", "the receiver is down", "throttled"]);
    await expect(handler(invocation(event))).rejects.toThrow(/^the receiver is down; throttled$/);
    expect(flushes()).toBe(1);
  });

  test("so does everything when the role itself fails", async () => {
    const { handler, logger, flushes } = setUp(new Error("broken"));
    await expect(handler(invocation(event))).rejects.toThrow(/failed unexpectedly/);
    expect(logger.lines).toMatchObject([{ level: "error", fields: { error: new Error("broken") } }]);
    expect(flushes()).toBe(1);
  });

  test("what is no event at all reaches the role as a problem", async () => {
    const { handler, seen } = setUp([]);
    await handler(invocation("{"));
    expect(seen[0]?.records).toMatchObject([{ looks: [], problem: expect.stringMatching(/not JSON/), original: "{" }]);
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

  test("the answer in the platform's words", async () => {
    const seen: number[] = [];
    const handler = createHttpHandler(async (_request, { remainingMs }) => {
      seen.push(remainingMs());
      return { status: 429, headers: { "retry-after": "2" }, body: "{}" };
    });
    expect(await handler(invocation(event))).toEqual({
      statusCode: 429,
      headers: { "retry-after": "2" },
      body: "{}",
      isBase64Encoded: false,
    });
    expect(seen).toEqual([12_345]);
  });
});

describe("steps of a workflow", () => {
  const state: PushState = {
    version: 1,
    next: "inspect",
    key: "a",
    execution: "k1",
    firstSeenMs: 1,
    attempt: 0,
    rounds: 0,
    bytesMoved: 0,
  };

  function setUp(outcome: PushState | Error) {
    const logger = recordingLogger();
    const seen: unknown[] = [];
    const handler = createPusherHandler({
      logger,
      flush: () => seen.push("flush"),
      pusher: {
        step: async (received, { remainingMs }) => {
          seen.push([received, remainingMs()]);
          if (outcome instanceof Error) throw outcome;
          return outcome;
        },
      },
    });
    return { handler, logger, seen };
  }

  test("state in, state out", async () => {
    const { handler, seen } = setUp({ ...state, next: "copy" });
    expect(await handler(invocation(state))).toEqual({ ...state, next: "copy" });
    expect(seen).toEqual([[state, 12_345], "flush"]);
  });

  test("a failure is logged and the workflow's to repeat", async () => {
    const { handler, logger, seen } = setUp(new Error("broken"));
    await expect(handler(invocation(state))).rejects.toThrow("broken");
    expect(logger.lines).toMatchObject([{ level: "error", message: "the step failed" }]);
    expect(seen.at(-1)).toBe("flush");
  });

  test("what is no state is refused by field", async () => {
    const { handler } = setUp(state);
    await expect(handler(invocation({ ...state, key: "" }))).rejects.toThrow(/does not fit version 1: key$/);
    await expect(handler(invocation("{"))).rejects.toThrow(/not JSON/);
  });
});
