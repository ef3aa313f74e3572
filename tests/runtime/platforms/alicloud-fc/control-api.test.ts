import { Readable } from "node:stream";
import { inspect } from "node:util";
import Client, { $OpenApiUtil, OpenApiUtil } from "@alicloud/openapi-core";
import type { ApiCall } from "local-alicloud";
import { serveApi } from "local-alicloud";
import { type ControlCall, createControlApi } from "../../../../runtime/platforms/alicloud-fc/control-api";
import type { Answer, SeenRequest } from "../../support/https-server";
import { startHttps, type TestServer } from "../../support/https-server";
import { KEY, localServices } from "./support";

const HOST = "fcv3.cn-shanghai.aliyuncs.com";
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function apiAt(origin: string, ca: string | undefined, options: { timeoutMs?: number } = {}) {
  const waits: number[] = [];
  const hosts: string[] = [];
  const api = createControlApi({
    host: HOST,
    originOf: (host) => {
      hosts.push(host);
      return origin;
    },
    credentials: { current: () => KEY },
    ...(ca === undefined ? {} : { ca }),
    random: () => 1,
    sleep: async (ms) => void waits.push(ms),
    ...options,
  });
  return { api, waits, hosts };
}

async function server(answer: Answer): Promise<TestServer> {
  const started = await startHttps(answer);
  closing.push(started.close);
  return started;
}

const call: ControlCall = { op: "start", what: "it could not be started", action: "Start", version: "2019-03-15" };

describe("signed so that a strict server accepts it", () => {
  const calls: ApiCall[] = [];
  async function strict() {
    const { tls, ca, ram, remove } = await localServices();
    closing.push(remove);
    const served = await serveApi({
      service: "fc",
      region: "cn-shanghai",
      tls,
      ram,
      handler: async (received) => {
        calls.push(received);
        return received.path === "/" ? { status: 200, body: { Name: "值" } } : { status: 202 };
      },
    });
    closing.push(served.close);
    return apiAt(served.origin, ca);
  }
  beforeEach(() => void calls.splice(0));

  test("by the query", async () => {
    const { api, hosts } = await strict();
    const answer = await api.call({ ...call, query: { FlowName: "a b+c&d=e", ExecutionName: "值" } });
    expect(answer).toMatchObject({ status: 200, body: { Name: "值" } });
    expect(hosts).toEqual([HOST]);
    expect(calls).toMatchObject([{ action: "Start", method: "POST", path: "/", headers: { "x-acs-version": "2019-03-15" } }]);
    expect(Object.fromEntries(calls[0]?.query ?? [])).toEqual({ FlowName: "a b+c&d=e", ExecutionName: "值" });
  });

  test("by a form", async () => {
    const { api } = await strict();
    const input = JSON.stringify({ key: "a b+c%20/中文&x=1" });
    await api.call({ ...call, form: { FlowName: "flow", Input: input } });
    expect(Object.fromEntries(new URLSearchParams(String(calls[0]?.body)))).toEqual({ FlowName: "flow", Input: input });
  });

  test("with a path, headers and bytes", async () => {
    const { api } = await strict();
    const roa = {
      pathname: "/2023-03-30/functions/copier/invocations",
      headers: { "x-fc-invocation-type": "Async" },
      body: Buffer.from('{"key":"中文"}'),
    };
    expect(await api.call({ ...call, roa })).toEqual({ status: 202, body: undefined });
    expect(calls).toMatchObject([{ method: "POST", path: roa.pathname, headers: { "x-fc-invocation-type": "Async" } }]);
    expect(calls[0]?.body.equals(roa.body)).toBe(true);
  });
});

/** What a service sees of a request, without the client's own identification. */
function essence({ method, url, headers, body }: SeenRequest) {
  const { pathname, searchParams } = new URL(url, "https://h");
  const names = ["host", "content-type", "x-fc-invocation-type"].concat(
    ["action", "version", "content-sha256", "accesskey-id", "security-token"].map((name) => `x-acs-${name}`),
  );
  const credential = /Credential=([^,]+),/.exec(headers.authorization ?? "")?.[1];
  const query = [...searchParams].sort();
  return { method, pathname, query, credential, headers: names.map((name) => headers[name]), body: form(body.toString()) };
}
const form = (text: string): unknown => (text.startsWith("{") ? text : [...new URLSearchParams(text)].sort());

/** The call as the vendor's own client sends it. */
function theirs(endpoint: string, ca: string, { action, version, query, form, roa, method = "POST" }: ControlCall) {
  const client = new Client(new $OpenApiUtil.Config({ ...KEY, endpoint, protocol: "https", ca }));
  const params = new $OpenApiUtil.Params({
    ...{ action, version, protocol: "HTTPS", method, authType: "AK", style: roa === undefined ? "RPC" : "ROA" },
    ...{ pathname: roa?.pathname ?? "/", reqBodyType: form === undefined ? "json" : "formData", bodyType: "string" },
  });
  const request = new $OpenApiUtil.OpenApiRequest({
    ...(query === undefined ? {} : { query }),
    ...(form === undefined ? {} : { body: form }),
    ...(roa === undefined ? {} : { headers: roa.headers, stream: Readable.from([roa.body]) }),
  });
  return client.callApi(params, request, {} as Parameters<Client["callApi"]>[2]);
}

/** The signature of the request as the vendor's own signer computes it from what arrived. */
function authorizationOf({ method, url, headers }: SeenRequest): string {
  const { pathname, searchParams } = new URL(url, "https://h");
  const request = { method, pathname, query: Object.fromEntries(searchParams), headers } as never;
  const hash = String(headers["x-acs-content-sha256"]);
  return OpenApiUtil.getAuthorization(request, "ACS3-HMAC-SHA256", hash, KEY.accessKeyId, KEY.accessKeySecret);
}

test.each<[string, Partial<ControlCall>]>([
  ["the query", { query: { FlowName: "a b+c&d=e*~", ExecutionName: "值", Z: "", A: "1" }, method: "GET" }],
  ["a form", { form: { FlowName: "flow", Input: JSON.stringify({ key: "a b+c%20/中文&x=1" }) } }],
  [
    "a path and bytes",
    {
      roa: {
        pathname: `/2023-03-30/functions/${encodeURIComponent("bridge-copier")}/invocations`,
        headers: { "x-fc-invocation-type": "Async" },
        body: Buffer.from('{"key":"中文"}'),
      },
    },
  ],
])("a call by %s is the request that the vendor's client sends", async (_name, parts) => {
  const { origin, ca, seen } = await server((_request, response) => void response.end("{}"));
  await apiAt(origin, ca).api.call({ ...call, ...parts });
  await theirs(new URL(origin).host, ca, { ...call, ...parts });
  const [ours, vendors] = seen as [SeenRequest, SeenRequest];
  expect(essence(ours)).toEqual(essence(vendors));
  expect(ours.headers.authorization).toBe(authorizationOf(ours));
});

describe("failures", () => {
  const refusing =
    (status: number, body: string): Answer =>
    (_request, response) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(body);
    };

  test("a refusal keeps the vendor's code but not its text, which may quote the request", async () => {
    const body = JSON.stringify({ Code: "SignatureDoesNotMatch", Message: "you signed very-secret-token", RequestId: "R1" });
    const { origin, ca, seen } = await server(refusing(400, body));
    const { api, waits } = apiAt(origin, ca);
    const error = await api.call(call).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      kind: "PermissionDenied",
      op: "start",
      code: "SignatureDoesNotMatch",
      message: "it could not be started: SignatureDoesNotMatch (400, request R1)",
    });
    expect(inspect(error, { depth: 9 })).not.toContain("very-secret");
    expect([seen.length, waits]).toEqual([1, []]);
  });

  test("throttled and failed calls are retried with a new signature", async () => {
    let count = 0;
    const { origin, ca, seen } = await server((request, response) => {
      count += 1;
      if (count === 1) return refusing(429, '{"Code":"ResourceThrottled"}')(request, response);
      if (count === 2) return refusing(502, "<html>bad gateway</html>")(request, response);
      response.end('{"Status":"Running"}');
    });
    const { api, waits } = apiAt(origin, ca);
    expect(await api.call(call)).toEqual({ status: 200, body: { Status: "Running" } });
    expect(waits).toEqual([200, 400]);
    expect(new Set(seen.map(({ headers }) => headers["x-acs-signature-nonce"])).size).toBe(3);
  });

  test("the number of tries is limited", async () => {
    const { origin, ca, seen } = await server(refusing(503, ""));
    await expect(apiAt(origin, ca).api.call(call)).rejects.toMatchObject({ kind: "Unavailable" });
    expect(seen).toHaveLength(3);
  });

  test("a call with `once` is not retried, because its outcome is unknown", async () => {
    const { origin, ca, seen } = await server(refusing(503, ""));
    const { api, waits } = apiAt(origin, ca);
    await expect(api.call({ ...call, once: true })).rejects.toMatchObject({ kind: "Unavailable", retryable: true });
    expect([seen.length, waits]).toEqual([1, []]);
  });

  test("an answer that does not begin, or does not end, is given up", async () => {
    const { origin, ca, seen } = await server((_request, response) => {
      if (seen.length === 1) return;
      response.writeHead(200, { "content-length": "100" });
      response.write("{");
    });
    const { api, waits } = apiAt(origin, ca, { timeoutMs: 100 });
    await expect(api.call(call)).rejects.toMatchObject({
      kind: "Unavailable",
      message: "it could not be started: no answer",
    });
    // Counts tries by the waits between them: on a busy machine a try can end before its request arrives.
    expect(waits).toEqual([200, 400]);
  });

  test("an answer may take longer than the limit for connecting, because a called function may run that long", async () => {
    const { origin, ca, seen } = await server((_request, response) => setTimeout(() => response.end('{"arrived":true}'), 2_300));
    const { api } = apiAt(origin, ca);
    expect(await api.call(call)).toMatchObject({ status: 200, body: { arrived: true } });
    expect(seen).toHaveLength(1);
  });

  test("a server with an untrusted certificate gets no request", async () => {
    const { origin, seen } = await server(refusing(200, "{}"));
    await expect(apiAt(origin, undefined).api.call(call)).rejects.toMatchObject({ kind: "Unavailable" });
    expect(seen).toHaveLength(0);
  });
});
