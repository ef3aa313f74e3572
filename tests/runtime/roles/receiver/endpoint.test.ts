import type { Receipt, ReplicationRequest } from "../../../../runtime/protocol/messages";
import type { Deadline } from "../../../../runtime/protocol/ports";
import { generateSecret, parseSecrets, type Secret, signRequest } from "../../../../runtime/protocol/signing";
import {
  createEndpoint,
  type EndpointOptions,
  type EndpointRequest,
  REFUSALS,
  type RefusalCode,
} from "../../../../runtime/roles/receiver/endpoint";
import { VirtualTime } from "../../../support/virtual-time";
import { recordingLogger } from "../../support/recording-logger";

const clock = new VirtualTime();
const [secret] = parseSecrets(generateSecret()) as [Secret];
const [rotated] = parseSecrets(generateSecret()) as [Secret];
const [strange] = parseSecrets(generateSecret()) as [Secret];
const context: Deadline = { remainingMs: () => 20_000 };

const notice = {
  key: "photos/a b+c%20.jpg",
  url: "https://source.example.com/photos?X-Amz-Signature=never-shown",
  tagsUrl: "https://source.example.com/photos?tagging=&X-Amz-Signature=never-shown",
  state: "present",
  snapshot: {
    etag: "e1",
    sizeBytes: 3,
    lastModified: "2026-03-01T00:00:00Z",
    headers: { contentType: "text/plain" },
    metadata: { name: "值" },
    tags: { kind: "photo" },
  },
};
const request = { version: 1, bridgeId: "bridge", notices: [notice] };
const receipts: Receipt[] = [{ key: notice.key, result: "replicated", bytesMoved: 3 }];

function setUp(options: Partial<EndpointOptions> = {}) {
  const logger = recordingLogger();
  const handled: ReplicationRequest[] = [];
  const endpoint = createEndpoint({
    secrets: async () => [secret],
    bridgeId: "bridge",
    handle: async (received) => {
      handled.push(received);
      return receipts;
    },
    clock,
    logger,
    allowedCidrs: [],
    ...options,
  });
  return { logger, handled, call: (sent: EndpointRequest) => endpoint(sent, context) };
}

function post(
  body: unknown,
  change: Partial<EndpointRequest> & { secrets?: Secret[]; timestampMs?: number } = {},
): EndpointRequest {
  const { secrets = [secret], timestampMs = clock.now(), ...rest } = change;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { "content-type": "application/json", ...signRequest({ id: "msg_1", timestampMs, body: text, secrets }) };
  return { method: "POST", path: "/replicate", headers, rawBody: Buffer.from(text), sourceIp: "203.0.113.7", ...rest };
}

test("a signed, well-formed request reaches the role and its receipts come back", async () => {
  const { call, handled, logger } = setUp();
  const answer = await call(post(request));
  expect(answer).toMatchObject({ status: 200, headers: { "content-type": "application/json" } });
  expect(JSON.parse(answer.body)).toEqual({ version: 1, receipts });
  expect(handled).toEqual([request]);
  expect(logger.lines).toEqual([]);
});

test("the role learns how much time is left", async () => {
  const seen: number[] = [];
  const { call } = setUp({
    handle: async (_request, { remainingMs }) => {
      seen.push(remainingMs());
      return receipts;
    },
  });
  await call(post(request));
  expect(seen).toEqual([20_000]);
});

describe("refused: nothing is handled, and no secret is shown", () => {
  const signed = post(request);
  const withHeaders = (change: Record<string, string | undefined>) => ({ ...signed, headers: { ...signed.headers, ...change } });
  const deep = `{"version":1,"bridgeId":"bridge","notices":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
  const changed = (edit: (body: Record<string, unknown>) => void) => {
    const body = structuredClone(request) as Record<string, unknown>;
    edit(body);
    return post(body);
  };

  const rows: [string, EndpointRequest, RefusalCode, Partial<EndpointOptions>?][] = [
    ["GET", { ...signed, method: "GET" }, "method-not-allowed"],
    ["no signature", withHeaders({ "webhook-signature": undefined }), "missing-signature"],
    ["no headers at all", { ...signed, headers: {} }, "missing-signature"],
    ["an old signature", post(request, { timestampMs: clock.now() - 301_000 }), "too-old"],
    ["a future signature", post(request, { timestampMs: clock.now() + 301_000 }), "too-new"],
    ["a timestamp that is no number", withHeaders({ "webhook-timestamp": "now" }), "malformed-timestamp"],
    ["a wrong signature", withHeaders({ "webhook-signature": `v1,${Buffer.alloc(32).toString("base64")}` }), "bad-signature"],
    [
      "a body changed by a byte",
      { ...signed, rawBody: Buffer.from(JSON.stringify(request).replace("a b", "a c")) },
      "bad-signature",
    ],
    ["an unknown secret", post(request, { secrets: [strange] }), "bad-signature"],
    [
      "an address outside the allowlist",
      { ...signed, sourceIp: "203.0.113.8" },
      "address-not-allowed",
      { allowedCidrs: ["203.0.113.7/32"] },
    ],
    [
      "no address where there is an allowlist",
      withoutAddress(signed),
      "address-not-allowed",
      { allowedCidrs: ["203.0.113.7/32"] },
    ],
    ["malformed JSON", post('{"version":1'), "not-json"],
    ["an empty body", post(""), "not-json"],
    ["deeply nested JSON", post(deep), "too-deep"],
    ["an oversized body", post({ ...request, bridgeId: "x".repeat(4 * 1024 * 1024) }), "body-too-large"],
    ["too many items", post({ ...request, notices: Array(101).fill(notice) }), "too-many-notices"],
    ["no items", post({ ...request, notices: [] }), "not-a-request"],
    ["an array", post([request]), "not-a-request"],
    ["null", post("null"), "not-a-request"],
    ["another version", post({ ...request, version: 2 }), "not-a-request"],
    ["an unknown field", post({ ...request, extra: 1 }), "not-a-request"],
    ["an unknown field in a notice", post({ ...request, notices: [{ ...notice, headers: {} }] }), "not-a-request"],
    ["an unknown state", post({ ...request, notices: [{ ...notice, state: "gone" }] }), "not-a-request"],
    ["a snapshot of an absent object", post({ ...request, notices: [{ ...notice, state: "absent" }] }), "not-a-request"],
    ["a key that is too long", post({ ...request, notices: [{ ...notice, key: "值".repeat(342) }] }), "not-a-request"],
    ["no bridge", changed((body) => delete body.bridgeId), "not-a-request"],
    ["another bridge", post({ ...request, bridgeId: "other" }), "other-bridge"],
  ];

  test.each(rows)("%s", async (_name, sent, code, options = {}) => {
    const { call, handled, logger } = setUp(options);
    const answer = await call(sent);
    expect(answer.status).toBe(REFUSALS[code].status);
    expect(JSON.parse(answer.body)).toEqual({ error: { code, message: REFUSALS[code].message } });
    expect(handled).toEqual([]);
    const { status } = answer;
    expect(logger.lines).toEqual([
      { level: "warn", message: "request refused", fields: { code, status, address: sent.sourceIp ?? "unknown" } },
    ]);
  });

  test("requests above the limit are answered with Retry-After, and unsigned requests do not count", async () => {
    const slow = new VirtualTime(clock.now());
    const rateLimit = { requestsPerSecond: 0.5, burst: 2 };
    const { call, logger } = setUp({ rateLimit, clock: slow, allowedCidrs: ["203.0.113.7/32"] });
    for (let unsigned = 0; unsigned < 9; unsigned++) {
      await call({ ...signed, sourceIp: "203.0.113.8" });
      expect((await call(withHeaders({ "webhook-signature": "v1,x" }))).status).toBe(401);
    }
    expect([(await call(signed)).status, (await call(signed)).status]).toEqual([200, 200]);
    const answer = await call(signed);
    expect(answer).toMatchObject({ status: 429, headers: { "retry-after": "2", "content-type": "application/json" } });
    expect(JSON.parse(answer.body)).toEqual({
      error: { code: "rate-limited", message: "Too many requests: wait as long as Retry-After says." },
    });
    expect(logger.lines.at(-1)).toMatchObject({ level: "warn", fields: { code: "rate-limited" } });
    slow.advance(2_000);
    expect((await call(signed)).status).toBe(200);
  });

  test("401, 403, 400 and 413 belong to the right codes", () => {
    const statuses = Object.fromEntries(Object.entries(REFUSALS).map(([code, { status }]) => [code, status]));
    expect(statuses).toEqual({
      "method-not-allowed": 405,
      "body-too-large": 413,
      "address-not-allowed": 403,
      "too-many-failures": 429,
      "missing-signature": 401,
      "malformed-timestamp": 401,
      "too-old": 401,
      "too-new": 401,
      "bad-signature": 401,
      "rate-limited": 429,
      "not-json": 400,
      "too-deep": 400,
      "too-many-notices": 413,
      "not-a-request": 400,
      "other-bridge": 403,
      "secret-unavailable": 503,
      unexpected: 500,
    });
  });

  test("a GET is answered with the allowed method", async () => {
    expect((await setUp().call({ ...signed, method: "GET" })).headers).toMatchObject({ allow: "POST" });
  });

  test("size and address are checked before anything is computed, the signature before anything is parsed", async () => {
    const asked: string[] = [];
    const secrets = async () => {
      asked.push("secrets");
      return [secret];
    };
    const { call } = setUp({ secrets, allowedCidrs: ["203.0.113.7/32"], limits: { bodyBytes: 10 } });
    expect((await call({ ...signed, sourceIp: "203.0.113.8" })).status).toBe(413);
    expect((await call({ ...post("{}"), sourceIp: "203.0.113.8" })).status).toBe(403);
    expect(asked).toEqual([]);
    expect((await call(post("not json", { secrets: [strange] }))).status).toBe(401);
  });
});

describe("an address whose signatures fail", () => {
  const unsigned = { ...post(request), headers: {} };
  const forged = post(request, { secrets: [strange] });
  const from = (sourceIp: string | undefined, sent: EndpointRequest = forged): EndpointRequest => ({ ...sent, sourceIp });

  test.each([
    ["unsigned", unsigned],
    ["forged", forged],
    ["old", post(request, { timestampMs: clock.now() - 301_000 })],
  ])("%s: after twenty failures it is refused without a read of fresh secrets", async (_name, sent) => {
    let reads = 0;
    const { call, handled } = setUp({
      secrets: async ({ refresh = false } = {}) => {
        if (refresh) reads += 1;
        return [secret];
      },
    });
    for (let failure = 0; failure < 20; failure++) expect((await call(from("198.51.100.1", sent))).status).toBe(401);
    const before = reads;
    for (let more = 0; more < 50; more++) {
      const answer = await call(from("198.51.100.1", sent));
      expect(answer).toMatchObject({ status: 429, headers: { "retry-after": "10" } });
      expect(JSON.parse(answer.body).error.code).toBe("too-many-failures");
    }
    expect([reads, handled]).toEqual([before, []]);
  });

  test("a stranger with the sender's own address does not lock the sender out", async () => {
    const { call } = setUp();
    for (let failure = 0; failure < 200; failure++) await call(from("198.51.100.1"));
    for (let times = 0; times < 50; times++) {
      expect((await call(from("198.51.100.1", post(request)))).status).toBe(200);
      expect((await call(from("198.51.100.1"))).status).toBe(429);
    }
  });

  test("the sender at another address is served all the time", async () => {
    const { call } = setUp();
    for (let failure = 0; failure < 200; failure++) await call(from("198.51.100.1"));
    expect((await call(post(request))).status).toBe(200);
  });

  test("signed requests use up nothing, whatever their number", async () => {
    const { call } = setUp();
    for (let times = 0; times < 100; times++) expect((await call(post(request))).status).toBe(200);
  });

  test("gets one try more every ten seconds", async () => {
    const time = new VirtualTime(clock.now());
    const { call } = setUp({ clock: time });
    for (let failure = 0; failure < 21; failure++) await call(from("198.51.100.1"));
    expect((await call(from("198.51.100.1"))).status).toBe(429);
    time.advance(10_000);
    expect((await call(from("198.51.100.1"))).status).toBe(401);
    expect((await call(from("198.51.100.1"))).status).toBe(429);
  });

  test("all addresses of one IPv6 network count together, and so do requests without an address", async () => {
    const { call } = setUp();
    for (let failure = 0; failure < 20; failure++) await call(from(`2001:db8:1:2::${failure + 1}`));
    expect((await call(from("2001:db8:1:2:ffff::1"))).status).toBe(429);
    expect((await call(from("2001:db8:1:3::1"))).status).toBe(401);
    for (let failure = 0; failure < 20; failure++) await call(from(undefined));
    expect((await call(from(undefined))).status).toBe(429);
  });
});

describe("rotation", () => {
  test("both secrets are accepted while both are known", async () => {
    const { call } = setUp({ secrets: async () => [rotated, secret] });
    expect((await call(post(request, { secrets: [secret] }))).status).toBe(200);
    expect((await call(post(request, { secrets: [rotated] }))).status).toBe(200);
  });

  test("a secret that is not in the cache yet is fetched before the request is refused", async () => {
    const asked: boolean[] = [];
    const secrets = async ({ refresh = false } = {}) => {
      asked.push(refresh);
      return refresh ? [rotated, secret] : [secret];
    };
    const { call } = setUp({ secrets });
    expect((await call(post(request, { secrets: [rotated] }))).status).toBe(200);
    expect(asked).toEqual([false, true]);
  });

  test("only a signature that does not match causes a read of fresh secrets", async () => {
    const asked: boolean[] = [];
    const secrets = async ({ refresh = false } = {}) => {
      asked.push(refresh);
      return [secret];
    };
    const { call } = setUp({ secrets });
    await call(post(request, { timestampMs: clock.now() - 400_000 }));
    await call({ ...post(request), headers: {} });
    expect(asked).toEqual([false, false]);
  });
});

describe("failures of its own", () => {
  test("an unexpected error is a 500 without its cause; the log has the cause", async () => {
    const cause = new Error("disk on fire at /var/task/secret");
    const { call, logger } = setUp({
      handle: async () => {
        throw cause;
      },
    });
    const answer = await call(post(request));
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.body)).toEqual({ error: { code: "unexpected", message: "The receiver failed." } });
    expect(logger.lines).toEqual([
      { level: "error", message: "request failed", fields: { code: "unexpected", status: 500, address: "203.0.113.7", cause } },
    ]);
  });

  test("secrets that cannot be read are a 503", async () => {
    const cause = new Error("parameter store down");
    const { call, logger } = setUp({
      secrets: async () => {
        throw cause;
      },
    });
    const answer = await call(post(request));
    expect(answer.status).toBe(503);
    expect(answer.body).not.toContain("parameter");
    expect(logger.lines[0]).toMatchObject({ level: "error", fields: { code: "secret-unavailable", cause } });
  });

  test("a reason that is too long for the protocol is cut, and the answer is sent", async () => {
    const { call } = setUp({ handle: async () => [{ key: notice.key, result: "retry", reason: "x".repeat(5000) }] });
    const answer = JSON.parse((await call(post(request))).body) as { receipts: Receipt[] };
    expect(answer.receipts[0]?.reason).toHaveLength(1024);
  });

  test("an allowlist that cannot be read fails at the start", () => {
    expect(() => setUp({ allowedCidrs: ["everyone"] })).toThrow(/allowedCidrs holds "everyone"/);
  });
});

function withoutAddress(sent: EndpointRequest): EndpointRequest {
  const { sourceIp: _address, ...rest } = sent;
  return rest;
}
