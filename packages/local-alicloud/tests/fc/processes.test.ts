import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type FcFixture, GATED, REGION, startFixture, until } from "./fc-fixture";

let fixture: FcFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.stop());

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

const workersOf = (name: string) => fixture.fc.workers().filter(({ functionName }) => functionName === name);
const startedIn = (name: string) => fixture.fc.logs(REGION, name).filter((line) => line.endsWith("started")).length;

describe("a process that ends", () => {
  test("at the timeout, with its children", async () => {
    await fixture.create(
      "slow",
      `const { spawn } = require("node:child_process");
      exports.handler = () => new Promise(() => {
        console.log("child", spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" }).pid);
      });`,
      { timeout: 1 },
    );
    const answer = await fixture.call("slow");
    expect(answer).toEqual({ errorType: "FunctionTimedOut", text: '{"errorMessage":"Function timed out after 1 seconds"}' });
    const child = Number(/child (\d+)$/m.exec(fixture.fc.logs(REGION, "slow").join("\n"))?.[1]);
    await until(() => workersOf("slow").length === 0 && !isRunning(child));
  });

  test.each([
    ["by itself", "async () => process.exit(1)"],
    ["of an uncaught error", "async () => { setImmediate(() => { throw new Error('late'); }); await new Promise(() => {}); }"],
    ["of kill -9", "async () => process.kill(process.pid, 'SIGKILL')"],
    ["of memory", "async () => { const all = []; for (;;) all.push(new Array(1e6).fill(Math.random())); }"],
  ])("%s fails its invocation, and the next invocation has a new process", async (name, handler) => {
    const functionName = `ends-${name.replace(/\W/g, "-")}`;
    await fixture.create(
      functionName,
      `exports.handler = async (event) => event.toString() === '"go"' ? (${handler})() : "ok";`,
      {
        memorySize: 128,
        cpu: 0.1,
      },
    );
    const { errorType, text } = await fixture.call(functionName, "go");
    expect(errorType).toBe("ProcessExited");
    expect(text).toMatch(/Process exited unexpectedly before completing request \(duration: \d+ms\)/);
    expect((await fixture.call(functionName)).text).toBe("ok");
  });

  test("leaves no files", async () => {
    await fixture.create(
      "tidy",
      "exports.handler = async () => require('node:fs').writeFileSync(process.env.TMPDIR + '/x', 'x');",
    );
    await fixture.call("tidy");
    const folder = join(fixture.runDir, fixture.fc.getFunction(REGION, "tidy")?.functionId ?? "");
    expect(readdirSync(folder)).toHaveLength(2);
    process.kill(workersOf("tidy")[0]?.pid ?? 0, "SIGKILL");
    await until(() => readdirSync(folder).join() === "code-0");
  });

  test("when the local cloud was killed", async () => {
    const bootstrap = join(__dirname, "../../src/fc/bootstrap.cjs");
    const child = spawn(process.execPath, [bootstrap], { env: {}, stdio: ["ignore", "ignore", "ignore", "ipc"] });
    await once(child, "message");
    child.disconnect();
    expect(await once(child, "exit")).toEqual([1, null]);
  });
});

describe("concurrency", () => {
  test("each invocation has its own process up to the reserved number; one more is throttled", async () => {
    await fixture.create("reserved", GATED);
    fixture.fc.putConcurrency(REGION, "reserved", 2);
    const gate = join(fixture.runDir, "gate-reserved");
    const both = [fixture.call("reserved", { gate }), fixture.call("reserved", { gate })];
    await until(() => startedIn("reserved") === 2);
    await expect(fixture.call("reserved", { gate })).rejects.toMatchObject({ status: 429, code: "ResourceExhausted" });
    await writeFile(gate, "");
    const pids = (await Promise.all(both)).map(({ text }) => text);
    expect(new Set(pids).size).toBe(2);
    // Idle processes are reused.
    expect(pids).toContain((await fixture.call("reserved", { gate })).text);
  });

  test("without a reservation, invocations beyond the number of processes wait", async () => {
    const small = await startFixture({ maxInstances: 1 });
    try {
      await small.create("queueing", "exports.handler = async () => process.pid + '';");
      const answers = await Promise.all([1, 2, 3].map(() => small.call("queueing")));
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    } finally {
      await small.stop();
    }
  });

  test("an idle process ends", async () => {
    const short = await startFixture({ instanceIdleMs: 1 });
    try {
      await short.create("idle", "exports.handler = async () => 'x';");
      await short.call("idle");
      await until(() => short.fc.workers().length === 0);
    } finally {
      await short.stop();
    }
  });
});

test("stop ends every process and refuses waiting invocations", async () => {
  const own = await startFixture({ maxInstances: 1 });
  await own.create("stopped", GATED);
  const gate = join(own.runDir, "never");
  const running = own.call("stopped", { gate });
  await until(() => own.fc.logs(REGION, "stopped").some((line) => line.endsWith("started")));
  const waiting = own.call("stopped", { gate });
  const [worker] = own.fc.workers();
  const refused = expect(waiting).rejects.toMatchObject({ status: 503 });
  await own.stop();
  await refused;
  expect((await running).errorType).toBe("ProcessExited");
  expect(isRunning(worker?.pid ?? 0)).toBe(false);
});
