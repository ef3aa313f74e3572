import type { ServerResponse } from "node:http";
import type { ReplicationRequest } from "../../../../runtime/protocol/messages";
import { ReceiverUnreachable } from "../../../../runtime/protocol/ports";
import { generateSecret, parseSecrets, type Secret, verifyRequest } from "../../../../runtime/protocol/signing";
import {
  type ClosableReceiverClient,
  createReceiverClient,
  type ReceiverClientOptions,
} from "../../../../runtime/roles/sender/receiver-client";
import { VirtualTime } from "../../../support/virtual-time";
import { startDroppingProxy } from "../../support/dropping-proxy";
import { type SeenRequest, startHttps, type TestServer } from "../../support/https-server";

const clock = new VirtualTime();
const secrets = parseSecrets(`${generateSecret()} ${generateSecret()}`) as [Secret, Secret];
const request: ReplicationRequest = {
  version: 1,
  bridgeId: "bridge",
  notices: ["a b", "中文"].map((key) => ({ key, url: "https://source.example.com/never-shown", state: "absent" as const })),
};
const receipts = request.notices.map(({ key }) => ({ key, result: "replicated" as const }));

let server: TestServer;
let client: ClosableReceiverClient;
const clients: ClosableReceiverClient[] = [];
let answer: (request: SeenRequest, response: ServerResponse) => void;

beforeAll(async () => {
  server = await startHttps((seen, response) => answer(seen, response));
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((one) => one.close()));
});
afterAll(() => server.close());
beforeEach(() => {
  server.seen.length = 0;
  client = makeClient();
});

function makeClient(options: Partial<ReceiverClientOptions> = {}): ClosableReceiverClient {
  const made = createReceiverClient({
    url: `${server.origin}/stage/replicate`,
    secrets: async () => secrets,
    clock,
    timeoutMs: 5_000,
    newId: () => "msg_1",
    connection: { ca: server.ca },
    ...options,
  });
  clients.push(made);
  return made;
}

function reply(status: number, body: unknown, headers: Record<string, string> = {}) {
  return (_request: SeenRequest, response: ServerResponse) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

async function unreachable(promise: Promise<unknown>): Promise<ReceiverUnreachable> {
  const error = await promise.then(
    () => new Error("it did not reject"),
    (caught: unknown) => caught,
  );
  if (!(error instanceof ReceiverUnreachable)) throw error;
  expect(error.message).not.toContain("never-shown");
  return error;
}

test("posts the signed body and returns the receipts", async () => {
  answer = reply(200, { version: 1, receipts });
  expect(await client.post(request)).toEqual({ version: 1, receipts });
  const [seen] = server.seen;
  expect(seen).toMatchObject({ method: "POST", url: "/stage/replicate", headers: { "content-type": "application/json" } });
  expect(JSON.parse(String(seen?.body))).toEqual(request);
  for (const secret of secrets) {
    const headers = seen?.headers as Record<string, string>;
    expect(verifyRequest({ headers, body: seen?.body as Buffer, secrets: [secret], nowMs: clock.now() })).toEqual({
      ok: true,
      id: "msg_1",
    });
  }
});

test("the platform's signature is made over the signed headers and the exact body", async () => {
  answer = reply(200, { version: 1, receipts });
  const sign: ReceiverClientOptions["sign"] = async ({ url, headers, body }) => ({
    ...headers,
    authorization: `${url.pathname} ${Object.keys(headers).sort().join()} ${Buffer.byteLength(body)}`,
  });
  await makeClient({ sign }).post(request);
  const [seen] = server.seen;
  expect(seen?.headers.authorization).toBe(
    `/stage/replicate content-type,webhook-id,webhook-signature,webhook-timestamp ${seen?.body.length}`,
  );
});

describe("refusals", () => {
  test.each<[string, number, unknown, { retryable: boolean; attemptMayRun: boolean }, RegExp]>([
    ["malformed", 400, own("not-a-request"), { retryable: false, attemptMayRun: false }, /400: not-a-request/],
    ["too large", 413, own("body-too-large"), { retryable: false, attemptMayRun: false }, /413: body-too-large/],
    ["other secrets", 401, own("bad-signature"), { retryable: true, attemptMayRun: false }, /signing secrets .* differ/],
    ["clocks", 401, own("too-old"), { retryable: true, attemptMayRun: false }, /clock/],
    ["another bridge", 403, own("other-bridge"), { retryable: true, attemptMayRun: false }, /another bridge/],
    ["the receiver's allowlist", 403, own("address-not-allowed"), { retryable: true, attemptMayRun: false }, /allowedCidrs/],
    [
      "no ICP licence",
      403,
      { message: null },
      { retryable: true, attemptMayRun: false },
      /ICP licence; auth\.kind: iam works without/,
    ],
    ["no ICP licence, the other way", 403, { message: "Forbidden" }, { retryable: true, attemptMayRun: false }, /ICP/],
    [
      "the platform's allowlist",
      403,
      { Message: "User: anonymous is not authorized" },
      { retryable: true, attemptMayRun: false },
      /allowedCidrs/,
    ],
    ["nothing there", 404, "<html>", { retryable: true, attemptMayRun: false }, /nothing is deployed at receiverUrl/],
    ["throttled", 429, { message: "Too Many Requests" }, { retryable: true, attemptMayRun: false }, /rate limit/],
    ["the receiver failed", 500, own("unexpected"), { retryable: true, attemptMayRun: true }, /500: unexpected/],
    ["bad gateway", 502, "", { retryable: true, attemptMayRun: true }, /502$/],
    ["gateway timeout", 504, { message: "Endpoint request timed out" }, { retryable: true, attemptMayRun: true }, /504$/],
    ["an empty success", 204, "", { retryable: true, attemptMayRun: true }, /204$/],
    ["a code that is no code", 500, own("<script>never-shown</script>"), { retryable: true, attemptMayRun: true }, /500$/],
  ])("%s", async (_name, status, body, expected, message) => {
    answer = reply(status, body);
    const error = await unreachable(client.post(request));
    expect(error).toMatchObject(expected);
    expect(error.message).toMatch(message);
  });

  test.each<[string | undefined, number | undefined]>([
    ["120", 120],
    ["Sun, 01 Mar 2026 00:01:00 GMT", 60],
    ["soon", undefined],
    [undefined, undefined],
  ])("a 429 with Retry-After %p says when to ask again: %p s", async (header, retryAfterSeconds) => {
    answer = reply(429, {}, header === undefined ? {} : { "retry-after": header });
    expect(await unreachable(client.post(request))).toMatchObject({ throttled: true, retryAfterSeconds });
  });

  test.each([301, 302, 307, 308])("a %i is not followed", async (status) => {
    answer = reply(status, "", { location: `${server.origin}/elsewhere` });
    const error = await unreachable(client.post(request));
    expect(error).toMatchObject({ retryable: true, attemptMayRun: false });
    expect(error.message).toMatch(/redirects are not followed/);
    expect(server.seen).toHaveLength(1);
  });
});

describe("half or malformed answers lose nothing", () => {
  test.each<[string, unknown, RegExp]>([
    ["cut JSON", JSON.stringify({ version: 1, receipts }).slice(0, -5), /not whole JSON/],
    ["nothing", "", /not whole JSON/],
    ["a page", "<html></html>", /not whole JSON/],
    ["another version", { version: 2, receipts }, /not a replication response/],
    ["an unknown result", { version: 1, receipts: [{ key: "a b", result: "done" }] }, /not a replication response/],
    ["an unknown field", { version: 1, receipts, extra: 1 }, /not a replication response/],
    ["one receipt less", { version: 1, receipts: receipts.slice(1) }, /1 receipts for 2 notices/],
    ["one receipt more", { version: 1, receipts: [...receipts, receipts[0]] }, /3 receipts for 2 notices/],
    ["another order", { version: 1, receipts: [...receipts].reverse() }, /other keys/],
    ["another key", { version: 1, receipts: [receipts[0], { ...receipts[1], key: "x" }] }, /other keys/],
  ])("%s", async (_name, body, message) => {
    answer = reply(200, body);
    const error = await unreachable(client.post(request));
    expect(error).toMatchObject({ retryable: true, attemptMayRun: true });
    expect(error.message).toMatch(message);
  });

  test("an answer without end is cut off", async () => {
    let closed: Promise<void> | undefined;
    answer = (_request, response) => {
      closed = new Promise((resolve) => response.on("close", () => resolve()));
      response.writeHead(200);
      const more = () => {
        if (!response.destroyed) response.write(Buffer.alloc(1024 * 1024, " "), more);
      };
      more();
    };
    expect(await unreachable(client.post(request))).toMatchObject({ retryable: true, attemptMayRun: true });
    await closed;
  });

  test("a connection cut before the answer", async () => {
    answer = (_request, response) => response.destroy();
    const error = await unreachable(client.post(request));
    expect(error).toMatchObject({ retryable: true, attemptMayRun: true });
    expect(error.message).toMatch(/broke/);
    expect(server.seen).toHaveLength(1);
  });

  test("a connection cut within the answer", async () => {
    answer = (_request, response) => {
      response.writeHead(200, { "content-length": 1000 });
      response.write('{"version":1', () => response.destroy());
    };
    expect(await unreachable(client.post(request))).toMatchObject({ retryable: true, attemptMayRun: true });
  });
});

describe("time", () => {
  test.each([
    ["before the headers", () => undefined],
    [
      "within the body",
      (_request: SeenRequest, response: ServerResponse) => {
        response.writeHead(200);
        response.write("{");
      },
    ],
  ])("silence %s ends after timeoutMs", async (_name, silent) => {
    answer = (request, response) => {
      silent(request, response);
      setTimeout(() => clock.advance(200), 100);
    };
    const error = await unreachable(makeClient({ timeoutMs: 200 }).post(request));
    expect(error).toMatchObject({ retryable: true, attemptMayRun: true });
    expect(error.message).toMatch(/did not answer within 200 ms/);
  });

  test("the caller's signal ends it as well", async () => {
    const abort = new AbortController();
    answer = () => abort.abort();
    expect(await unreachable(client.post(request, { signal: abort.signal }))).toMatchObject({
      attemptMayRun: true,
      retryable: true,
    });
  });
});

test("a connection that is opened ahead carries the next request, and nothing before", async () => {
  answer = reply(200, { version: 1, receipts });
  const before = server.connections();
  client.warm?.();
  while (server.connections() === before) await new Promise(setImmediate);
  expect(server.seen).toHaveLength(0);
  await client.post(request);
  expect(server.connections() - before).toBe(1);
});

describe("after a pause", () => {
  beforeEach(() => {
    answer = reply(200, { version: 1, receipts });
  });
  /** undici takes a connection back one turn of the event loop after its answer. */
  const postFirst = async (through = client) => {
    await through.post(request);
    await new Promise(setImmediate);
  };

  test("of a minute the connection is used again", async () => {
    const before = server.connections();
    await postFirst();
    clock.advance(60_000);
    expect(await client.post(request)).toEqual({ version: 1, receipts });
    expect(server.connections() - before).toBe(1);
  });

  test("of ten minutes a new one is opened: firewalls forget a connection without a word", async () => {
    const before = server.connections();
    await postFirst();
    clock.advance(600_000);
    await client.post(request);
    expect(server.connections() - before).toBe(2);
  });

  test("a connection that the server has closed is noticed: one request, one more handshake", async () => {
    const before = server.connections();
    await postFirst();
    await server.closeIdle();
    expect(await client.post(request)).toEqual({ version: 1, receipts });
    expect([server.seen.length, server.connections() - before]).toEqual([2, 2]);
  });

  test("a connection that was dropped silently: the same signed request again at once, and its receipts are unsettled", async () => {
    const proxy = await startDroppingProxy(server.port);
    let ids = 0;
    const through = makeClient({ url: `https://127.0.0.1:${proxy.port}/replicate`, newId: () => `msg_${++ids}` });
    try {
      await postFirst(through);
      proxy.drop();
      const unsettled = receipts.map((receipt) => ({ ...receipt, unsettled: true }));
      expect(await through.post(request)).toEqual({ version: 1, receipts: unsettled });
      expect(server.seen.map(({ headers }) => headers["webhook-id"])).toEqual(["msg_1", "msg_2"]);
      expect(proxy.connections()).toBe(2);
    } finally {
      await proxy.close();
    }
  });

  test("the repeated request breaks as well: nothing more is sent, and an attempt may run", async () => {
    await postFirst();
    answer = (_request, response) => response.destroy();
    expect(await unreachable(client.post(request))).toMatchObject({ retryable: true, attemptMayRun: true });
    expect(server.seen).toHaveLength(3);
    const ids = server.seen.slice(1).map(({ headers, body }) => `${headers["webhook-signature"]} ${body}`);
    expect(new Set(ids).size).toBe(1);
  });
});

describe("requests that certainly were not sent", () => {
  test("the port is closed", async () => {
    const gone = await startHttps(() => undefined);
    await gone.close();
    const error = await unreachable(makeClient({ url: `${gone.origin}/x` }).post(request));
    expect(error).toMatchObject({ retryable: true, attemptMayRun: false });
  });

  test("the name does not resolve", async () => {
    const connection: ReceiverClientOptions["connection"] = {
      lookup: (_hostname, _options, callback) =>
        callback(Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND", syscall: "getaddrinfo" }), "", 4),
    };
    const error = await unreachable(makeClient({ url: "https://receiver.example.com/x", connection }).post(request));
    expect(error).toMatchObject({ retryable: true, attemptMayRun: false });
  });

  test("the certificate is not trusted", async () => {
    const error = await unreachable(makeClient({ connection: {} }).post(request));
    expect(error).toMatchObject({ retryable: true, attemptMayRun: false });
    expect(server.seen).toHaveLength(0);
  });

  test("the secret cannot be read", async () => {
    const secrets = async () => {
      throw new Error("parameter store down");
    };
    const error = await unreachable(makeClient({ secrets }).post(request));
    expect(error).toMatchObject({ retryable: true, attemptMayRun: false });
    expect(server.seen).toHaveLength(0);
  });
});

test("a URL that is not https is refused at the start", () => {
  expect(() => makeClient({ url: "http://receiver.example.com" })).toThrow(/https/);
});

function own(code: string) {
  return { error: { code, message: "text" } };
}
