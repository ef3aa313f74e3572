/** Runs the command in a process of its own. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAIN = join(__dirname, "..", "..", "operator", "main.ts");
/** A handle that stays open at the end, like a call whose client takes no signal. */
const PENDING = 'data:text/javascript,import { createServer } from "node:net"; createServer().listen(0, "127.0.0.1");';

function start(args: string[], env: Record<string, string> = {}): Promise<{ exitCode: unknown; printed: string; noted: string }> {
  return new Promise((resolve) => {
    const limits = { timeout: 30_000, killSignal: "SIGKILL", env: { ...process.env, ...env } } as const;
    execFile(process.execPath, ["--import", "tsx", "--import", PENDING, MAIN, ...args], limits, (error, printed, noted) =>
      resolve({ exitCode: error === null ? 0 : (error.code ?? error.signal), printed, noted }),
    );
  });
}

test.each([
  ["with success", ["--help"], { exitCode: 0, printed: expect.stringMatching(/status .*\n[\s\S]*\n$/), noted: "" }],
  ["with a failure", ["nope"], { exitCode: 2, printed: "", noted: expect.stringMatching(/unknown command 'nope'\n[\s\S]*\n$/) }],
])("a command that ends %s exits although a handle is open, and prints everything", async (_how, args, ended) => {
  expect(await start(args)).toEqual(ended);
});

test("a path is relative to the folder where npm was called", async () => {
  const folder = await mkdtemp(join(tmpdir(), "init-cwd-"));
  try {
    await writeFile(join(folder, "bridge.json"), "{}");
    const env = { npm_lifecycle_event: "bridge", INIT_CWD: folder };
    const { exitCode, noted } = await start(["status", "--outputs", "bridge.json"], env);
    expect({ exitCode, noted }).toEqual({ exitCode: 2, noted: expect.stringMatching(/^bridge\.json describes no bridge/) });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a reader that leaves early gets no exit code of success", async () => {
  const child = spawn(process.execPath, ["--import", "tsx", MAIN, "--help"], { stdio: ["ignore", "pipe", "ignore"] });
  child.stdout.destroy();
  const [exitCode] = (await once(child, "close")) as [number | null];
  expect(exitCode).toBe(141);
});
