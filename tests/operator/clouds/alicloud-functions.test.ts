import { createFcInvoker } from "../../../operator/clouds/alicloud";
import type { FunctionInvoker } from "../../../operator/operated-bridge";
import { type Answer, startHttps, type TestServer } from "../../runtime/support/https-server";

let server: TestServer;
let hosts: string[];
async function open(answer: Answer, securityToken?: string): Promise<FunctionInvoker> {
  server = await startHttps(answer);
  hosts = [];
  return createFcInvoker({
    cloud: "alicloud",
    region: "cn-shanghai",
    ca: server.ca,
    credentials: async () => ({ accessKeyId: "LTAI", accessKeySecret: "s", ...(securityToken ? { securityToken } : {}) }),
    originOf: (host) => {
      hosts.push(host);
      return server.origin;
    },
  });
}
afterEach(() => server.close());

test("returns the answer of a function; sends no token header without a session token", async () => {
  const functions = await open((_, response) => response.end('{"cleaned":3}'));
  expect(await functions.invoke("prober", { action: "clean", names: ["ü"] })).toEqual({ cleaned: 3 });
  const [request] = server.seen;
  expect(request).toMatchObject({ method: "POST", url: "/2023-03-30/functions/prober/invocations" });
  expect(request?.headers).toMatchObject({ "x-fc-invocation-type": "Sync" });
  expect(request?.headers).not.toHaveProperty("x-acs-security-token");
  expect(JSON.parse(request?.body.toString() ?? "")).toEqual({ action: "clean", names: ["ü"] });
  expect(hosts).toEqual(["fcv3.cn-shanghai.aliyuncs.com"]);
});

test("sends the token of a session", async () => {
  const functions = await open((_, response) => response.end("{}"), "token");
  await functions.invoke("prober", {});
  expect(server.seen[0]?.headers["x-acs-security-token"]).toBe("token");
});

test("reports a function that failed, with its reason", async () => {
  const functions = await open((_, response) => response.end('{"errorMessage":"names: required","errorType":"Error"}'));
  await expect(functions.invoke("prober", {})).rejects.toMatchObject({
    kind: "Unexpected",
    message: "the function prober failed: names: required",
  });
});

test("refuses an answer that is no JSON", async () => {
  const functions = await open((_, response) => response.end("not json"));
  await expect(functions.invoke("prober", {})).rejects.toThrow("the function prober answered no JSON");
});

test("reports a function that does not exist", async () => {
  const functions = await open((_, response) =>
    response
      .writeHead(404, { "content-type": "application/json" })
      .end('{"Code":"FunctionNotFound","Message":"none","RequestId":"r1"}'),
  );
  await expect(functions.invoke("prober", {})).rejects.toMatchObject({
    kind: "NotFound",
    message: "the function prober could not be invoked: FunctionNotFound (404, request r1)",
  });
});

test("does not retry a call whose answer was lost, because it may have done its work", async () => {
  const functions = await open((_, response) => response.writeHead(503).end());
  await expect(functions.invoke("prober", {})).rejects.toMatchObject({ kind: "Unavailable", retryable: true });
  expect(server.seen).toHaveLength(1);
});

test("retries storing an event, because a repeated event does no harm", async () => {
  const functions = await open((_, response) => response.writeHead(server.seen.length === 1 ? 503 : 202).end());
  await functions.invokeAsync("sender", "{}");
  expect(server.seen).toHaveLength(2);
});

test("an abort ends the waiting for an answer", async () => {
  const controller = new AbortController();
  const functions = await open(() => controller.abort(new Error("enough")));
  await expect(functions.invoke("prober", {}, { signal: controller.signal })).rejects.toThrow("enough");
});

test("stores an event", async () => {
  const functions = await open((_, response) => response.writeHead(202).end());
  await functions.invokeAsync("sender", '{"look":1}');
  expect(server.seen[0]).toMatchObject({ headers: { "x-fc-invocation-type": "Async" } });
  expect(server.seen[0]?.body.toString()).toBe('{"look":1}');
});

test("refuses an event that was answered with another status than 202", async () => {
  const functions = await open((_, response) => response.writeHead(200).end());
  await expect(functions.invokeAsync("sender", "{}")).rejects.toMatchObject({ kind: "Unavailable" });
});
