/** `verify`, `letters`, `redrive`, `pause`, `resume` and `logs` on a deployed bridge. */
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import type { RegisterCommand } from "../../operator/command";
import { registerLetters } from "../../operator/letters/command";
import { registerLogs } from "../../operator/logs/command";
import { registerPause } from "../../operator/pause/command";
import { registerVerify } from "../../operator/verify/command";
import type { Finding } from "../../operator/verify/findings";
import { encodeLook } from "../../runtime/protocol/queue-messages";
import { type CommandRun, runBridge } from "./support/bridge-command";
import { eventually } from "./support/eventually";
import { put } from "./support/objects";
import { settled } from "./support/queues";
import { START_MS, startTestStack, type TestStack, testOn } from "./support/stack";

let stack: TestStack | undefined;
let folder: string;
const onStack = testOn(() => stack);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "operator-"));
  stack = await startTestStack();
}, START_MS);
afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

const command = (register: RegisterCommand, { local }: TestStack, ...args: string[]) => runBridge(register, local, "dev", args);

async function verify(running: TestStack, ...args: string[]): Promise<CommandRun & { findings: string[] }> {
  const out = join(folder, `${randomUUID()}.jsonl`);
  const files = ["--out", out, "--checkpoint", `${out}.checkpoint`];
  const run = await command(registerVerify, running, "verify", "--grace", "0", ...files, ...args);
  const lines = (await readFile(out, "utf8")).split("\n").filter((line) => line !== "");
  const findings = lines.map((line) => JSON.parse(line) as Finding).map(({ kind, key }) => `${kind} ${key}`);
  return { ...run, findings: findings.sort() };
}

onStack(
  "verify finds what was broken at the destination, --repair mends it, and then there are no differences",
  async (running) => {
    const { source, destination } = running;
    const keys = Array.from({ length: 12 }, (_, index) => `verify/${index}`);
    await Promise.all(keys.map((key) => put(source, key, `the bytes of ${key}`)));
    await eventually(async () => expect((await verify(running)).exitCode).toBe(0), {
      deadlineMs: 60_000,
      what: "every key is across",
    });

    const at = (key: string) => ({ Bucket: destination.bucket, Key: destination.prefix + key });
    await destination.s3.send(new DeleteObjectCommand(at("verify/3")));
    await destination.s3.send(new PutObjectCommand({ ...at("verify/5"), Body: "other" }));
    await destination.s3.send(new PutObjectCommand({ ...at("verify/stranger"), Body: "x" }));
    const broken = await verify(running, "--bytes");
    expect(broken.findings).toEqual(["different verify/5", "extra verify/stranger", "missing verify/3"]);
    expect(broken.exitCode).toBe(1);

    const dry = await verify(running, "--repair", "--dry-run");
    expect(dry.noted).toContainEqual(expect.stringMatching(/^--repair would hand over 2 objects/));
    const repaired = await verify(running, "--repair", "--yes");
    expect(repaired.exitCode).toBe(0);
    await settled(running);
    const after = await verify(running, "--bytes");
    expect({ findings: after.findings, exitCode: after.exitCode }).toEqual({ findings: ["extra verify/stranger"], exitCode: 0 });
  },
);

onStack("letters shows a key that was given up, and redrive brings it across", async (running) => {
  const { local, sqs, source, destination } = running;
  await put(source, "redriven", "1");
  await settled(running);
  await destination.s3.send(new DeleteObjectCommand({ Bucket: destination.bucket, Key: `${destination.prefix}redriven` }));
  const text = (StringValue: string) => ({ DataType: "String", StringValue });
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: local.outputs.deadLetterQueueUrl,
      MessageBody: encodeLook({ key: "redriven", failures: 0 }),
      MessageAttributes: {
        ...{ Key: text("redriven"), Reason: text("given up after 20 attempts: a test") },
        ...{ BridgeId: text("dev"), ParkedAt: text(new Date().toISOString()) },
      },
    }),
  );
  const letters = await command(registerLetters, running, "letters", "--reason", "a test");
  expect(letters.printed[0]).toMatch(/ {2}redriven {2}\(given up after 20 attempts: a test\)$/);
  const other = await command(registerLetters, running, "redrive", "--reason", "nothing has this");
  expect(other.printed).toEqual(["0 letters were handed over, 1 left"]);
  const redriven = await command(registerLetters, running, "redrive", "--reason", "a test");
  expect(redriven).toMatchObject({ exitCode: 0, printed: ["1 letter was handed over, 0 left"] });
  await settled(running);
  expect((await verify(running, "--prefix", "redriven")).findings).toEqual([]);
  expect((await command(registerLetters, running, "letters")).printed).toEqual(["there are no such dead letters"]);
});

onStack("a paused bridge keeps events, and a resume brings them across", async (running) => {
  const paused = await eventually(
    async () => {
      const run = await command(registerPause, running, "pause");
      expect(run.exitCode).toBe(0);
      return run;
    },
    { deadlineMs: 60_000, what: "every way is closed" },
  );
  expect(paused.printed.every((line) => line.startsWith("closed"))).toBe(true);
  await put(running.source, "while-paused", "1");
  expect((await verify(running, "--prefix", "while-paused")).findings).toEqual(["missing while-paused"]);
  await eventually(async () => expect((await command(registerPause, running, "resume")).exitCode).toBe(0), {
    deadlineMs: 60_000,
    what: "every way is open",
  });
  await settled(running);
  expect((await verify(running, "--prefix", "while-paused")).findings).toEqual([]);
});

onStack("logs shows the way of a key across both sides", async (running) => {
  await put(running.source, "logged/a b", "1");
  await settled(running);
  const { printed } = await eventually(
    async () => {
      const run = await command(registerLogs, running, "logs", "logged/a b");
      expect(run.exitCode).toBe(0);
      return run;
    },
    { deadlineMs: 60_000, what: "the receiver's line is there" },
  );
  expect(printed.join("\n")).toMatch(/ destination {2}receiver {4}notice {2}\(result replicated/);
});
