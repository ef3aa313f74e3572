import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import { ACCOUNT, type FcFixture, REGION, startFixture } from "./fc-fixture";

let fixture: FcFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.stop());

interface Sent {
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: Buffer | string;
}
interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Sends a path unchanged: `fetch` would normalise it. */
function ask(url: string, { method = "POST", headers = {}, body = "" }: Sent = {}): Promise<Answered> {
  const { origin, port } = new URL(url);
  const ca = readFileSync(fixture.caPath);
  const options = { host: "localhost", servername: "localhost", port, path: url.slice(origin.length), method, headers, ca };
  return new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

interface Config {
  authType?: string;
  methods?: string[];
  disableURLInternet?: boolean;
}
let made = 0;
/** A function of this source with an HTTP trigger. */
async function serve(source: string, config: Config = {}) {
  const functionName = `http-${++made}`;
  await fixture.create(functionName, `exports.handler = ${source};`);
  const record = fixture.fc.createTrigger(REGION, functionName, {
    triggerName: "http",
    triggerType: "http",
    qualifier: "LATEST",
    triggerConfig: JSON.stringify({ authType: "anonymous", methods: ["GET", "POST"], ...config }),
  });
  const { urlInternet, urlIntranet } = record.httpTrigger ?? { urlInternet: "", urlIntranet: "" };
  return { functionName, triggerId: record.triggerId, url: urlInternet, intranet: urlIntranet };
}

const ECHO = "async (event) => ({ statusCode: 200, body: event.toString() })";

describe("the event", () => {
  test("has the documented shape", async () => {
    const { url, triggerId } = await serve(ECHO);
    expect(url).toBe(`${fixture.fc.origins[REGION]}/${triggerId}`);
    const answer = await ask(`${url}/a%20b/../c?x=1&y=a+b&x=2`, {
      headers: {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "test",
        "webhook-id": ["one", "two"],
        "x-forwarded-for": "8.8.8.8",
        "x-fc-access-key-id": "forged",
      },
      body: '{"k":"käse"}',
    });
    const requestId = answer.headers["x-fc-request-id"];
    expect(JSON.parse(answer.body.toString())).toEqual({
      version: "v1",
      rawPath: "/a%20b/../c",
      body: '{"k":"käse"}',
      isBase64Encoded: false,
      headers: {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "test",
        "Webhook-Id": "one,two",
        "X-Forwarded-For": "8.8.8.8",
        Host: `localhost:${new URL(url).port}`,
        "Content-Length": "13",
      },
      queryParameters: { x: "1,2", y: "a b" },
      requestContext: {
        accountId: ACCOUNT,
        domainName: `${triggerId}.${REGION}.fcapp.run`,
        domainPrefix: triggerId,
        http: { method: "POST", path: "/a b/../c", protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "test" },
        requestId,
        time: "2026-11-21T10:00:00Z",
        timeEpoch: String(fixture.clock.now),
      },
    });
  });

  test.each([
    ["application/octet-stream", true],
    [undefined, true],
    ["text/csv", false],
    ["application/ld+json", false],
  ])("of content type %p is base64: %p", async (type, encoded) => {
    const { url } = await serve(ECHO);
    const body = type?.startsWith("text") ? "a,b" : Buffer.from([0, 1, 255]);
    const answer = await ask(url, { body, headers: type === undefined ? {} : { "content-type": type } });
    const event = JSON.parse(answer.body.toString());
    expect(event).toMatchObject({ isBase64Encoded: encoded, rawPath: "/" });
    if (encoded) expect(event.body).toBe("AAH/");
  });
});

test.each<[string, Record<string, string>]>([
  ["a page of another machine", { origin: "https://evil.example" }],
  ["a form of a page without an origin", { origin: "null" }],
  ["an image of another page", { "sec-fetch-site": "cross-site" }],
  ["a foreign name that leads to this machine", { host: "evil.example" }],
])("%s does not reach the function", async (_who, headers) => {
  const { url } = await serve(ECHO);
  expect(await ask(url, { headers })).toMatchObject({ status: 403, headers: { "x-fc-error-type": "FcCommonError" } });
  expect(await ask(url, { headers: { origin: "http://localhost:3000" } })).toMatchObject({ status: 200 });
});

describe("the answer", () => {
  test.each(['{ "x\\n": "1" }', '{ "x-own": "1\\r\\nx: 2" }', '{ "": "1" }'])(
    "with the headers %s is an error",
    async (headers) => {
      const { url } = await serve(`async () => ({ statusCode: 200, body: "", headers: ${headers} })`);
      const answer = await ask(url);
      expect(answer).toMatchObject({ status: 502, headers: { "x-fc-error-type": "UnhandledInvocationError" } });
      expect(answer.body.toString()).toContain("HTTP forbids");
    },
  );

  test("has the function's status, headers and bytes, except reserved headers", async () => {
    const { url } = await serve(`async () => ({
      statusCode: 418, isBase64Encoded: true, body: "AAH/",
      headers: { "Content-Type": "image/png", "X-Own": "1", Server: "mine", Date: "never", "Content-Length": "99", "x-fc-request-id": "forged" },
    })`);
    const { status, headers, body } = await ask(url);
    expect(status).toBe(418);
    expect(body).toEqual(Buffer.from([0, 1, 255]));
    expect(headers).toMatchObject({ "content-type": "image/png", "x-own": "1", "content-length": "3" });
    expect(headers.server).toBeUndefined();
    expect(headers.date).not.toBe("never");
    expect(headers["x-fc-request-id"]).toMatch(/^1-/);
  });

  test.each([
    ["JSON without a status code", "async () => ({ a: 1 })", "application/json", '{"a":1}'],
    ["text", "async () => 'hello'", "text/plain; charset=utf-8", "hello"],
  ])("of %s is the result itself", async (_, source, type, text) => {
    const { url } = await serve(source);
    const { status, headers, body } = await ask(url);
    expect([status, headers["content-type"], body.toString()]).toEqual([200, type, text]);
  });

  test("to HEAD and with status 204 has no body", async () => {
    const { url } = await serve(
      `async (event) => ({ statusCode: JSON.parse(event).rawPath === "/none" ? 204 : 200, body: "text" })`,
      {
        methods: ["GET", "HEAD"],
      },
    );
    expect(await ask(url, { method: "HEAD" })).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(await ask(`${url}/none`, { method: "GET" })).toMatchObject({ status: 204, body: Buffer.alloc(0) });
  });

  test.each([
    ["a throw", "async () => { throw new Error('oops'); }", "oops"],
    ["an exit", "async () => process.exit(1)", "Process exited"],
    ["a status that is no number", "async () => ({ statusCode: '200' })", "statusCode"],
    ["a header that is no text", "async () => ({ statusCode: 200, headers: { a: 1 } })", "headers"],
  ])("of %s is 502", async (_, source, message) => {
    const { url } = await serve(source);
    const { status, headers, body } = await ask(url);
    expect([status, headers["x-fc-error-type"]]).toEqual([502, "UnhandledInvocationError"]);
    expect(JSON.parse(body.toString()).errorMessage).toContain(message);
  });
});

describe("a refusal", () => {
  const refusal = ({ status, headers, body }: Answered) => ({
    status,
    type: headers["x-fc-error-type"],
    code: JSON.parse(body.toString()).Code,
  });

  test.each<[string, (at: { url: string; intranet: string }) => [string, Sent?], number, string]>([
    ["a method that is not the trigger's", ({ url }) => [url, { method: "PUT" }], 403, "AccessDenied"],
    ["an unknown trigger", ({ url }) => [`${url.slice(0, -1)}x/`], 404, "TriggerNotFound"],
    ["headers of more than 8 KB", ({ url }) => [url, { headers: { a: "x".repeat(8192) } }], 400, "InvalidArgument"],
    ["a path of more than 4 KB", ({ url }) => [`${url}/${"x".repeat(4096)}`], 400, "InvalidArgument"],
    ["a path that cannot be decoded", ({ url }) => [`${url}/%zz`], 400, "InvalidArgument"],
    ["a body of more than 32 MB", ({ url }) => [url, { body: Buffer.alloc(32 * 1024 * 1024 + 1) }], 400, "InvalidArgument"],
    [
      "such a body without its length",
      ({ url }) => [url, { body: Buffer.alloc(32 * 1024 * 1024 + 1), headers: { "transfer-encoding": "chunked" } }],
      400,
      "InvalidArgument",
    ],
  ])("of %s", async (_, of, status, code) => {
    const served = await serve(ECHO);
    expect(refusal(await ask(...of(served)))).toEqual({ status, type: "FcCommonError", code });
    expect(fixture.fc.logs(REGION, served.functionName)).toEqual([]);
    expect(fixture.failures).toEqual([]);
  });

  test("beyond the concurrency of the function", async () => {
    const { url, functionName } = await serve(ECHO);
    fixture.fc.putConcurrency(REGION, functionName, 0);
    expect(refusal(await ask(url))).toEqual({ status: 429, type: "FcCommonError", code: "ResourceExhausted" });
  });

  test("at the internet address when it is disabled; the intranet address answers", async () => {
    const { url, intranet } = await serve(ECHO, { disableURLInternet: true });
    expect(refusal(await ask(url))).toMatchObject({ status: 403, code: "AccessDenied" });
    expect(await ask(intranet)).toMatchObject({ status: 200 });
  });
});

test("a request may ask for an asynchronous invocation", async () => {
  const { url, functionName } = await serve("async (event) => console.log(JSON.parse(event).body)");
  const headers = { "x-fc-invocation-type": "Async", "content-type": "text/plain" };
  expect(await ask(url, { headers, body: "later" })).toMatchObject({ status: 202, body: Buffer.alloc(0) });
  await fixture.fc.idle();
  expect(fixture.fc.logs(REGION, functionName).some((line) => line.endsWith("later"))).toBe(true);
  expect(await ask(url, { headers, body: "x".repeat(128 * 1024) })).toMatchObject({ status: 400 });
});

test.each<[string, Config, RegExp]>([
  ["a signed one", { authType: "function" }, /'function' is not served here/],
  ["an unknown method", { methods: ["TRACE"] }, /methods/],
  ["no method", { methods: [] }, /methods/],
])("%s is refused", async (_, config, message) => {
  await expect(serve(ECHO, config)).rejects.toThrow(message);
});

test("a function has one HTTP trigger, and an update keeps its address", async () => {
  const { functionName, url } = await serve(ECHO);
  const triggerConfig = JSON.stringify({ authType: "anonymous", methods: ["PUT"] });
  const second = { triggerName: "second", triggerType: "http" as const, qualifier: "LATEST", triggerConfig };
  expect(() => fixture.fc.createTrigger(REGION, functionName, second)).toThrow("has the HTTP trigger 'http' already");
  expect(fixture.fc.updateTrigger(REGION, functionName, "http", { triggerConfig }).httpTrigger?.urlInternet).toBe(url);
  expect(await ask(url, { method: "PUT" })).toMatchObject({ status: 200 });
  expect(await ask(url, { method: "POST" })).toMatchObject({ status: 403 });
  fixture.fc.deleteTrigger(REGION, functionName, "http");
  expect(await ask(url, { method: "PUT" })).toMatchObject({ status: 404 });
});
