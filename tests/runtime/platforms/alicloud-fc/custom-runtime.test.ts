import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { request } from "undici";
import { serveInvocations } from "../../../../runtime/platforms/alicloud-fc/custom-runtime";
import type { FunctionHandler } from "../../../../runtime/platforms/alicloud-fc/handler";

const HEADERS = {
  "x-fc-access-key-id": "STS.key",
  "x-fc-access-key-secret": "very-secret",
  "x-fc-security-token": "very-secret-token",
};

let server: Server | undefined;
afterEach(() => void server?.close());

async function serve(handler: FunctionHandler<unknown>) {
  server = serveInvocations(handler, { TIMEOUT_SECONDS: "90" }, 0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return async (
    body: string,
    { method = "POST", path = "/invoke", retryCount }: { method?: string; path?: string; retryCount?: string } = {},
  ) => {
    const answer = await request(`http://127.0.0.1:${port}${path}`, {
      ...{
        method: method as "POST",
        headers: { ...HEADERS, ...(retryCount === undefined ? {} : { "x-fc-retry-count": retryCount }) },
      },
      ...(method === "POST" ? { body } : {}),
    });
    return { status: answer.statusCode, fcStatus: answer.headers["x-fc-status"], body: await answer.body.text() };
  };
}

test("an invocation gets its event, its credentials and the function's timeout; its result is the answer", async () => {
  const invoke = await serve(async (event, context) => ({ event: event.toString(), context }));
  const { status, fcStatus, body } = await invoke("中");
  expect([status, fcStatus]).toEqual([200, "200"]);
  expect(JSON.parse(body)).toEqual({
    event: "中",
    context: {
      credentials: { accessKeyId: "STS.key", accessKeySecret: "very-secret", securityToken: "very-secret-token" },
      function: { timeout: 90 },
      retryCount: 0,
    },
  });
});

test("an invocation knows how often its event was delivered before", async () => {
  const invoke = await serve(async (_event, { retryCount }) => retryCount);
  expect((await invoke("{}", { retryCount: "2" })).body).toBe("2");
});

test("a result that is nothing is an empty answer", async () => {
  const invoke = await serve(async () => undefined);
  expect(await invoke("{}")).toEqual({ status: 200, fcStatus: "200", body: "" });
});

test("a failed invocation says so in the header that Function Compute reads, and why in the body", async () => {
  const invoke = await serve(async () => {
    throw new TypeError("the key could not be put back");
  });
  expect(await invoke("{}")).toEqual({
    status: 404,
    fcStatus: "404",
    body: '{"errorMessage":"the key could not be put back","errorType":"TypeError"}',
  });
});

test("invocations run side by side", async () => {
  let release = (): void => undefined;
  const second = new Promise<void>((resolve) => {
    release = resolve;
  });
  const invoke = await serve(async (event) => {
    if (event.toString() === "first") await second;
    else release();
    return event.toString();
  });
  const first = invoke("first");
  expect((await invoke("second")).body).toBe('"second"');
  expect((await first).body).toBe('"first"');
});

test.each([{ path: "/" }, { method: "GET" }])("%j is no invocation", async (other) => {
  const handler = jest.fn();
  const invoke = await serve(handler);
  expect(await invoke("{}", other)).toMatchObject({ status: 404, fcStatus: "404" });
  expect(handler).not.toHaveBeenCalled();
});

test("a server without the function's timeout does not start", () => {
  expect(() => serveInvocations(async () => undefined, {}, 0)).toThrow(/TIMEOUT_SECONDS is not set/);
});
