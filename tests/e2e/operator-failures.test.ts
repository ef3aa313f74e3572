/** What each command says and exits with when something is wrong: no rights, a bucket that is gone, a side that is down, a stack that is not there. */
import { setMaxListeners } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registerBackfill } from "../../operator/backfill/command";
import type { RegisterCommand } from "../../operator/command";
import { registerCost } from "../../operator/cost/command";
import { registerDoctor } from "../../operator/doctor/command";
import { registerEmpty } from "../../operator/empty/empty";
import { registerLetters } from "../../operator/letters/command";
import { registerLogs } from "../../operator/logs/command";
import { openBridge, operate } from "../../operator/open-bridge";
import type { StackToOperate } from "../../operator/operated-bridge";
import { registerPause } from "../../operator/pause/command";
import { registerProbe } from "../../operator/probe/command";
import { type OpenedBridge, runProgram } from "../../operator/run-program";
import { registerStatus } from "../../operator/status/command";
import { registerVerify } from "../../operator/verify/command";
import { registerWatch } from "../../operator/watch/command";
import { readSession } from "./support/bridge-command";
import { put } from "./support/objects";
import { settled } from "./support/queues";
import { START_MS, started, startTestStack, type TestStack } from "./support/stack";

let stack: TestStack | undefined;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "operator-failures-"));
  stack = await startTestStack();
  await put(stack.source, "there", "1");
  await settled(stack);
}, START_MS);
afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Ran {
  exitCode: number;
  text: string;
}

async function run(register: RegisterCommand, args: readonly string[], open: () => Promise<OpenedBridge>): Promise<Ran> {
  const lines: string[] = [];
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const exitCode = await runProgram([...args, "--stack", "dev", "--local"], {
    ...{ version: "0.0.0", commands: [register], open },
    interrupt: { signal, exitCode: () => undefined },
    print: (text) => void lines.push(text),
    note: (text) => void lines.push(text),
  });
  return { exitCode, text: lines.join("\n") };
}

type Change = (found: StackToOperate) => StackToOperate;
const opening = (change: Change) => async (): Promise<OpenedBridge> => {
  const found = change(await readSession(started(stack).local, "dev"));
  return { bridge: operate(found), access: found.access };
};

const STRANGER = { accessKeyId: "AKIAIOSFODNN7STRANGER", secretAccessKey: "x".repeat(40) };
const withoutRights: Change = ({ access: { source, destination }, ...found }) => ({
  ...found,
  access: {
    source: { ...source, credentials: STRANGER } as never,
    destination: { ...destination, credentials: STRANGER } as never,
  },
});
const destinationDown: Change = ({ access, ...found }) => ({
  ...found,
  access: { ...access, destination: { ...access.destination, endpoint: "https://127.0.0.1:1" } as never },
});
const destinationGone: Change = ({ outputs, ...found }) => ({
  ...found,
  outputs: { ...outputs, destinationBucket: "bridge-dev-never-was" },
});

/** The commands that look at both buckets. */
const looking = (): [string, RegisterCommand, string[]][] => [
  ["status", registerStatus, ["status"]],
  ["status of a key", registerStatus, ["status", "there"]],
  ["verify", registerVerify, ["verify", "--out", join(folder, "v.jsonl"), "--checkpoint", join(folder, "v.json")]],
  ["backfill", registerBackfill, ["backfill", "--dry-run", "--checkpoint", join(folder, "b.json")]],
];

describe.each(["status", "status of a key", "verify", "backfill"])("%s", (name) => {
  const command = () => looking().find(([one]) => one === name) as [string, RegisterCommand, string[]];

  test.each<[string, Change, RegExp]>([
    [
      "a destination that is down",
      destinationDown,
      /the destination bucket \S+ \(aws-cn, cn-north-1\): .*ECONNREFUSED.*the store cannot be reached from here/,
    ],
    ["a bucket that is gone", destinationGone, /the destination bucket bridge-dev-never-was .*(NoSuchBucket|AccessDenied)/],
  ])("%s: exit code 3, with the side, the bucket and the reason", async (_what, change, message) => {
    const [, register, args] = command();
    const { exitCode, text } = await run(register, args, opening(change));
    expect(text).toMatch(message);
    expect(exitCode).toBe(3);
    // No line tells that all is well.
    expect(text).not.toMatch(/no differences|COMPLETED +\d/);
  });

  test("no rights: exit code 3, and not a word about objects that would be missing", async () => {
    const [, register, args] = command();
    const { exitCode, text } = await run(register, args, opening(withoutRights));
    expect(exitCode).toBe(3);
    expect(text).toMatch(/InvalidAccessKeyId|AccessDenied|SignatureDoesNotMatch|InvalidClientTokenId|UnrecognizedClient/);
    expect(text).not.toMatch(/^(missing|NONE) /m);
  });
});

/** The commands that ask other services of the source. */
const SERVICES: [string, RegisterCommand, string[]][] = [
  ["letters", registerLetters, ["letters"]],
  ["redrive", registerLetters, ["redrive"]],
  ["redrive --dry-run", registerLetters, ["redrive", "--dry-run"]],
  ["pause", registerPause, ["pause"]],
  ["resume", registerPause, ["resume"]],
];

test.each(SERVICES)("%s without rights: exit code 3, with the side and the refusal", async (_name, register, args) => {
  const { exitCode, text } = await run(register, args, opening(withoutRights));
  expect(text).toMatch(
    /at the source \(aws, us-east-1\): .*(InvalidClientTokenId|UnrecognizedClient|AccessDenied|InvalidAccessKeyId)/,
  );
  expect(exitCode).toBe(3);
});

test("logs without rights: what was not read is said, and the exit code is not that of success", async () => {
  const { exitCode, text } = await run(registerLogs, ["logs", "there"], opening(withoutRights));
  expect(text).toMatch(/at the source .*(UnrecognizedClient|AccessDenied|InvalidClientTokenId)/);
  expect(exitCode).not.toBe(0);
});

const nothingAnswers: Change = ({ access: { source, destination }, ...found }) => ({
  ...found,
  access: {
    source: { ...source, endpoint: "https://127.0.0.1:1" } as never,
    destination: { ...destination, endpoint: "https://127.0.0.1:1" } as never,
  },
});

test.each<[string, RegisterCommand, string[]]>([
  ...SERVICES,
  ["logs", registerLogs, ["logs", "there"]],
  ["empty", registerEmpty, ["empty", "--yes"]],
])("%s without a network: exit code 3, with the side and the reason", async (_name, register, args) => {
  const { exitCode, text } = await run(register, args, opening(nothingAnswers));
  expect(text).toMatch(/\b(source|destination)\b.*ECONNREFUSED/);
  expect(exitCode).toBe(3);
});

test.each(SERVICES.slice(0, 3))("%s does not need the destination", async (_name, register, args) => {
  const { exitCode } = await run(register, args, opening(destinationDown));
  expect(exitCode).toBe(0);
});

test.each<[string, RegisterCommand, string[]]>([
  ["status", registerStatus, ["status"]],
  ["verify", registerVerify, ["verify"]],
  ["backfill", registerBackfill, ["backfill", "--dry-run"]],
  ["letters", registerLetters, ["letters"]],
  ["redrive", registerLetters, ["redrive"]],
  ["pause", registerPause, ["pause"]],
  ["logs", registerLogs, ["logs", "key"]],
  ["probe", registerProbe, ["probe"]],
  ["empty", registerEmpty, ["empty", "--yes"]],
  ["watch", registerWatch, ["watch", "--terminal"]],
  ["cost", registerCost, ["cost"]],
  ["doctor", registerDoctor, ["doctor"]],
])("%s of a stack that does not run: exit code 3, with what to do", async (_name, register, [name = "", ...args]) => {
  const lines: string[] = [];
  const { signal } = new AbortController();
  const exitCode = await runProgram([name, ...args, "--stack", "never-started", "--local"], {
    ...{ version: "0.0.0", commands: [register] },
    open: (options, aborted) => openBridge(options, aborted),
    interrupt: { signal, exitCode: () => undefined },
    print: (text) => void lines.push(text),
    note: (text) => void lines.push(text),
  });
  expect(lines.join("\n")).toMatch(/never-started/);
  expect(exitCode).toBe(3);
});

test("a command and an option that do not exist are errors of the command line", async () => {
  expect(
    (
      await run(
        registerStatus,
        ["statsu"],
        opening((found) => found),
      )
    ).exitCode,
  ).toBe(2);
  const { exitCode, text } = await run(
    registerVerify,
    ["verify", "--byte"],
    opening((found) => found),
  );
  expect({ exitCode, text }).toEqual({ exitCode: 2, text: expect.stringMatching(/--byte\b[\s\S]*--bytes/) });
});
