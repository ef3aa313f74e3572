/** Functions with an HTTP server of their own, several invocations at the same time in one instance. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { FunctionSpec } from "../../src/contracts";
import { ACCOUNT, CUSTOM, DEAD_LETTERS, type FcFixture, REGION, specOf, startFixture, until } from "./fc-fixture";

let fixture: FcFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.stop());

/** A server that answers an invocation with what `answer`, the body of an asynchronous function, returns. */
const serverOf = (answer: string, address = '9000, "0.0.0.0"') => `
const { existsSync } = require("node:fs");
const { setTimeout: wait } = require("node:timers/promises");
let running = 0;
let most = 0;
require("node:http").createServer(async (request, response) => {
  const event = Buffer.concat(await request.toArray()).toString();
  running += 1;
  most = Math.max(most, running);
  const done = (status, body) => {
    running -= 1;
    response.writeHead(status, { "x-fc-status": String(status) }).end(body);
  };
  try {
    const said = await (async () => { ${answer} })();
    done(200, typeof said === "string" ? said : JSON.stringify(said));
  } catch (error) {
    done(404, JSON.stringify({ errorMessage: error.message }));
  }
}).listen(${address});`;
const gated = serverOf(`
  const { gate } = JSON.parse(event);
  console.log("started");
  while (!existsSync(gate)) await wait(5);
  return { pid: process.pid, most };`);

const deploy = (name: string, source: string, changes: Partial<FunctionSpec> = {}) =>
  fixture.create(name, source, { ...CUSTOM, instanceConcurrency: 10, ...changes });
const startedIn = (name: string) => fixture.fc.logs(REGION, name).filter((line) => line.endsWith("started")).length;
const workersOf = (name: string) => fixture.fc.workers().filter(({ functionName }) => functionName === name);

test("an invocation is a POST with the event, the function's credentials and what the documentation lists", async () => {
  await deploy("headers", serverOf("return { method: request.method, url: request.url, headers: request.headers, event };"));
  const { text, errorType } = await fixture.call("headers", { key: "中" });
  expect(errorType).toBeUndefined();
  expect(JSON.parse(text)).toMatchObject({
    method: "POST",
    url: "/invoke",
    event: '{"key":"中"}',
    headers: {
      "content-type": "application/octet-stream",
      "x-fc-control-path": "/invoke",
      "x-fc-request-id": expect.any(String),
      "x-fc-function-name": "headers",
      "x-fc-region": REGION,
      "x-fc-account-id": ACCOUNT,
      "x-fc-access-key-id": expect.stringMatching(/^STS\./),
      "x-fc-access-key-secret": expect.any(String),
      "x-fc-security-token": expect.any(String),
    },
  });
});

test("the process has nothing that the real service lacks", async () => {
  await deploy(
    "tidy",
    serverOf("return [typeof process.send, Object.keys(process.env).filter((name) => /LOCAL_FC/.test(name))];"),
  );
  expect(JSON.parse((await fixture.call("tidy")).text)).toEqual(["undefined", []]);
});

test("no other machine reaches its server, which listens on all addresses", async () => {
  await deploy("open", serverOf("return String(request.socket.localPort) + ' ' + request.socket.localAddress;"));
  const [port = "", address] = (await fixture.call("open")).text.split(" ");
  expect(address).toBe("127.0.0.1");
  const others = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ internal }) => !internal);
  for (const { address: host } of others) {
    const [error] = await once(connect({ port: Number(port), host }), "error");
    expect((error as NodeJS.ErrnoException).code).toMatch(/ECONNREFUSED|EINVAL|EADDRNOTAVAIL|ENETUNREACH/);
  }
});

describe("one instance", () => {
  test("takes invocations at the same time, up to the concurrency; another one is started only beyond that", async () => {
    await deploy("full", gated, { instanceConcurrency: 3 });
    const gate = join(fixture.runDir, "gate-full");
    const three = [1, 2, 3].map(() => fixture.call("full", { gate }));
    await until(() => startedIn("full") === 3);
    expect(workersOf("full")).toHaveLength(1);
    const fourth = fixture.call("full", { gate });
    await until(() => startedIn("full") === 4);
    expect(workersOf("full")).toHaveLength(2);
    await writeFile(gate, "");
    const answers = (await Promise.all([...three, fourth])).map(({ text }) => JSON.parse(text) as { pid: number; most: number });
    expect(new Set(answers.slice(0, 3).map(({ pid }) => pid)).size).toBe(1);
    expect(answers.map(({ most }) => most)).toEqual([3, 3, 3, 1]);
  });

  test("the limit of a function counts instances: each has the whole concurrency", async () => {
    await deploy("limited", gated, { instanceConcurrency: 2 });
    fixture.fc.putConcurrency(REGION, "limited", 1);
    const gate = join(fixture.runDir, "gate-limited");
    const both = [1, 2].map(() => fixture.call("limited", { gate }));
    await until(() => startedIn("limited") === 2);
    await expect(fixture.call("limited", { gate })).rejects.toMatchObject({ status: 429, code: "ResourceExhausted" });
    await writeFile(gate, "");
    expect((await Promise.all(both)).map(({ errorType }) => errorType)).toEqual([undefined, undefined]);
  });

  test("a process that ends fails every invocation that it runs, and the next one has a new process", async () => {
    await deploy(
      "crash",
      serverOf("if (event === '\"crash\"') process.exit(1); if (event === '\"wait\"') await wait(1e6); return 'ok';"),
    );
    const waiting = fixture.call("crash", "wait");
    const crashed = fixture.call("crash", "crash");
    for (const { errorType, text } of await Promise.all([waiting, crashed])) {
      expect(errorType).toBe("ProcessExited");
      expect(text).toMatch(/Process exited unexpectedly before completing request/);
    }
    expect((await fixture.call("crash")).text).toBe("ok");
  });

  test("a timeout fails its invocation", async () => {
    await deploy("slow", serverOf("await wait(1e6);"), { timeout: 1 });
    expect(await fixture.call("slow")).toEqual({
      errorType: "FunctionTimedOut",
      text: '{"errorMessage":"Function timed out after 1 seconds"}',
    });
    await until(() => workersOf("slow").length === 0);
  });
});

test("only Function Compute reaches the server, and the server does not see how it is known", async () => {
  const answer = "return { port: request.socket.localPort, names: request.rawHeaders, headers: request.headers };";
  await deploy("private", serverOf(answer));
  const { port, names, headers } = JSON.parse((await fixture.call("private")).text) as {
    port: number;
    names: string[];
    headers: Record<string, string>;
  };
  expect([...names, ...Object.keys(headers)].filter((name) => /local/i.test(name))).toEqual([]);
  for (const more of [{}, { "x-local-fc-instance": "" }, { "x-local-fc-instance": "undefined" }])
    expect((await fetch(`http://127.0.0.1:${port}/invoke`, { method: "POST", headers: more, body: "{}" })).status).toBe(403);
  expect(fixture.fc.logs(REGION, "private").join()).not.toMatch(/[0-9a-f]{64}/);
});

test("a failed event is delivered again with its count, and goes to the failure destination after the last retry", async () => {
  await deploy("retried", serverOf("console.log('retry ' + request.headers['x-fc-retry-count']); throw new Error('not today');"));
  fixture.fc.putAsyncInvokeConfig(REGION, "retried", { maxAsyncRetryAttempts: 2, onFailure: DEAD_LETTERS });
  await fixture.fc.invokeAsync(REGION, "retried", Buffer.from('{"key":"a"}'));
  await fixture.fc.idle();
  expect(fixture.fc.logs(REGION, "retried")).toEqual(["retry 0", "retry 1", "retry 2"]);
  const [letter] = fixture.sent.map(({ body }) => JSON.parse(body.toString()));
  expect(letter).toMatchObject({
    requestContext: { condition: "UnhandledInvocationError", approximateInvokeCount: 3 },
    requestPayload: '{"key":"a"}',
    responsePayload: '{"errorMessage":"not today"}',
  });
});

test("an answer without x-fc-status counts as a success, whatever its HTTP status", async () => {
  await deploy("silent", 'require("node:http").createServer((_, response) => response.writeHead(500).end("x")).listen(9000);');
  expect(await fixture.call("silent")).toEqual({ text: "x", errorType: undefined });
});

describe("a server that Function Compute does not reach", () => {
  test("because it listens on the loopback only", async () => {
    await deploy("loopback", serverOf("return 'x';", '{ port: 9000, host: "127.0.0.1" }'));
    const { errorType, text } = await fixture.call("loopback");
    expect(errorType).toBe("UnhandledInvocationError");
    expect(text).toMatch(/FunctionNotStarted: the function listens on 127.0.0.1:9000/);
  });

  test("because the process ended before", async () => {
    await deploy("broken", "throw new Error('broken');");
    expect((await fixture.call("broken")).errorType).toBe("ProcessExited");
  });
});

test("the process ends when the local cloud was killed", async () => {
  const network = join(__dirname, "../../src/fc/custom-network.cjs");
  const child = spawn(process.execPath, ["--require", network, "-e", 'require("node:http").createServer().listen(9000)'], {
    env: { LOCAL_FC_INSTANCE_PORT: "9000" },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  await once(child, "message");
  child.disconnect();
  expect(await once(child, "exit")).toEqual([1, null]);
});

describe("settings", () => {
  const create = (changes: Partial<FunctionSpec>) =>
    fixture.fc.createFunction(REGION, specOf("refused", "", { ...CUSTOM, instanceConcurrency: 2, ...changes }));

  test.each([
    [{ runtime: "custom.debian12" }, /runtime .* only nodejs20 and custom.debian10 are/],
    [{ runtime: "nodejs20", instanceConcurrency: 1 }, /customRuntimeConfig .* is for a custom runtime/],
    [{ instanceConcurrency: 201 }, /instanceConcurrency .* must be 1 to 200/],
    [
      { customRuntimeConfig: { ...CUSTOM.customRuntimeConfig, command: ["python3"] } },
      /customRuntimeConfig .* must have the command/,
    ],
    [{ customRuntimeConfig: { ...CUSTOM.customRuntimeConfig, port: 0 } }, /customRuntimeConfig .* must have a port/],
  ] as const)("%j are refused", async (changes, message) => {
    await expect(create(changes)).rejects.toMatchObject({ code: "InvalidArgument", message: expect.stringMatching(message) });
  });

  test("an HTTP trigger is refused", async () => {
    await deploy("no-http", serverOf("return 'x';"));
    const spec = { triggerName: "http", triggerType: "http", qualifier: "LATEST", triggerConfig: "{}" } as const;
    expect(() => fixture.fc.createTrigger(REGION, "no-http", spec)).toThrow(/HTTP triggers of custom runtimes are not served/);
  });

  test("a function moves to the custom runtime and back; what runs meanwhile ends with the old code", async () => {
    await fixture.create(
      "moves",
      "exports.handler = async () => { console.log('started'); await new Promise((go) => setTimeout(go, 300)); return 'old'; };",
    );
    const old = fixture.call("moves");
    await until(() => startedIn("moves") === 1);
    const { code, runtime, customRuntimeConfig } = specOf("moves", serverOf("return 'new';"), CUSTOM);
    await fixture.fc.updateFunction(REGION, "moves", {
      ...{ code, runtime, instanceConcurrency: 5 },
      ...(customRuntimeConfig === undefined ? {} : { customRuntimeConfig }),
    });
    expect((await fixture.call("moves")).text).toBe("new");
    expect((await old).text).toBe("old");
    const back = specOf("moves", "exports.handler = async () => 'back';");
    await fixture.fc.updateFunction(REGION, "moves", { code: back.code, runtime: back.runtime, instanceConcurrency: 1 });
    expect((await fixture.call("moves")).text).toBe("back");
  });
});
