/** A whole run without a cloud: deployments that fail, Ctrl-C, a run that goes on, and what is never touched. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StackToOperate } from "../../operator/operated-bridge";
import { type Check, DoesNotHold, NotShown } from "../../verify-live/check";
import { JOURNAL } from "../../verify-live/journal";
import { runProgram } from "../../verify-live/program";
import { type FakeS3, startFakeS3 } from "./fake-s3";
import { bridgeCheck, type FakeDeployment, fakeDeployment, settingsOf } from "./support";

const OUTPUTS = { sourceBucket: "tested-source", destinationBucket: "tested-destination" };

let folder: string;
let s3: FakeS3;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "verify-live-"));
  s3 = await startFakeS3(["tested-source", "tested-destination"]);
});
afterEach(async () => {
  await s3.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Run {
  exitCode: number;
  printed: string;
  noted: string;
}

async function run(
  args: readonly string[],
  checks: readonly Check[],
  deployment: FakeDeployment,
  interrupt = new AbortController(),
): Promise<Run> {
  const [printed, noted]: [string[], string[]] = [[], []];
  const side = (cloud: "aws" | "aws-cn", region: string) => ({
    ...{ cloud, region, endpoint: s3.endpoint },
    credentials: { accessKeyId: "tested", secretAccessKey: "tested" },
  });
  const exitCode = await runProgram([...args, "--stack", "tested", "--out", folder], {
    checks,
    deployment: () => deployment,
    localSession: () => Promise.reject(new Error("no stack of npm start")),
    access: (): StackToOperate["access"] => ({ source: side("aws", "us-east-1"), destination: side("aws-cn", "cn-north-1") }),
    local: true,
    interrupt: { signal: interrupt.signal, exitCode: () => (interrupt.signal.aborted ? 130 : undefined) },
    now: Date.now,
    sleep: async () => undefined,
    print: (text) => void printed.push(text),
    note: (text) => void noted.push(text),
  });
  return { exitCode, printed: printed.join("\n"), noted: noted.join("\n") };
}

const stack = (options?: Parameters<typeof fakeDeployment>[2]) => fakeDeployment(settingsOf("aws", "aws-cn"), OUTPUTS, options);
const report = () => readFile(join(folder, "report.md"), "utf8");
const journal = async () =>
  (await readFile(join(folder, JOURNAL), "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Writes an object under the prefix of the run, as checks do. */
const writing = (name: string): Check =>
  bridgeCheck(name, {
    async run({ keys, sides, signal }) {
      const bytes = Buffer.from("x");
      const options = { attributes: { headers: {}, metadata: {}, tags: {} }, sizeBytes: bytes.length, signal };
      await sides.source.store.put(keys.key(name), bytes, options);
      await sides.destination.store.put(sides.destination.keyPrefix + keys.key(name), bytes, options);
      return [`${name} was written`];
    },
  });

test("a stack without resources is deployed, checked and destroyed; only the run's own objects are deleted", async () => {
  s3.put("tested-source", "somebody-elses", "crossborderbridge-verify/another-run/object");
  const deployment = stack();
  const { exitCode, printed } = await run([], [writing("write-one"), bridgeCheck("see-one")], deployment);
  expect({ exitCode, printed }).toEqual({ exitCode: 0, printed: "3 passed, 0 failed, 0 not made" });
  expect(deployment.calls).toEqual(["up", "destroy"]);
  expect(s3.keys("tested-source")).toEqual(["crossborderbridge-verify/another-run/object", "somebody-elses"]);
  expect(s3.keys("tested-destination")).toEqual([]);
  expect((await journal()).map(({ type }) => type)).toEqual([
    ...["run", "deploying", "deployed", "result", "result", "cleaned", "destroyed", "result"],
  ]);
  const text = await report();
  expect(text).toContain("The stack was deployed by this run, and destroyed");
  expect(text).toContain("Every object of the run was deleted");
  expect(text).toContain("| `see-one` | A fact. | see-one was seen |");
});

test("a stack that was there is taken and left", async () => {
  const deployment = stack({ now: "deployed" });
  expect((await run([], [bridgeCheck("see-one")], deployment)).exitCode).toBe(0);
  expect(deployment.calls).toEqual([]);
  expect(await report()).toContain("there before this run, and was left as it was");
});

test("with --keep the stack stays", async () => {
  const deployment = stack();
  await run(["--keep"], [bridgeCheck("see-one")], deployment);
  expect(deployment.calls).toEqual(["up"]);
  expect(await report()).toContain("deployed by this run, and kept");
});

test("a stack that was kept is left by --resume as well: somebody may use it", async () => {
  const deployment = stack();
  await run(["--keep"], [bridgeCheck("see-one")], deployment);
  const { exitCode } = await run(["--resume"], [bridgeCheck("see-one"), bridgeCheck("see-two")], deployment);
  expect({ exitCode, calls: deployment.calls }).toEqual({ exitCode: 0, calls: ["up"] });
  expect(await report()).toContain("there before this run, and was left as it was");
});

test("a half deployed stack that was kept is finished by --resume", async () => {
  const fails: { up?: Error } = { up: new Error("the role cannot be assumed") };
  const deployment = stack({ fails });
  await run(["--keep"], [bridgeCheck("see-one")], deployment);
  delete fails.up;
  const { exitCode } = await run(["--resume"], [bridgeCheck("see-one")], deployment);
  expect({ exitCode, calls: deployment.calls }).toEqual({ exitCode: 0, calls: ["up", "up", "destroy"] });
});

test("a half deployed stack of somebody else is refused, with the way out", async () => {
  const deployment = stack({ now: "partial" });
  const { exitCode, noted } = await run([], [bridgeCheck("see-one")], deployment);
  expect({ exitCode, calls: deployment.calls }).toEqual({ exitCode: 2, calls: [] });
  expect(noted).toMatch(/has resources and exports no bridge: finish it with pulumi up --stack tested, or remove it/);
});

test("a deployment that fails is a result, and what it made is destroyed", async () => {
  const deployment = stack({ fails: { up: new Error("aws:lambda: the role cannot be assumed") } });
  const { exitCode, printed } = await run([], [bridgeCheck("see-one")], deployment);
  expect({ exitCode, calls: deployment.calls }).toEqual({ exitCode: 1, calls: ["up", "destroy"] });
  expect(printed).toMatch(/^does not hold: first-deployment\n {2}aws:lambda: the role cannot be assumed\n/);
});

test("a destroy that fails is said, with the command that finishes it", async () => {
  const deployment = stack({ fails: { destroy: new Error("the bucket is not empty") } });
  const { exitCode, printed } = await run([], [bridgeCheck("see-one")], deployment);
  expect(exitCode).toBe(1);
  expect(printed).toMatch(
    /not removed: the stack tested \(the bucket is not empty\); remove it with pulumi destroy --stack tested/,
  );
});

test("failed and undecided checks do not end the run", async () => {
  const checks = [
    bridgeCheck("is-false", { run: () => Promise.reject(new DoesNotHold("seen otherwise\nand again")) }),
    bridgeCheck("breaks", { run: () => Promise.reject(new Error("no answer")) }),
    bridgeCheck("is-unclear", { run: () => Promise.reject(new NotShown("it cannot be seen here")) }),
    bridgeCheck("hangs", { timeoutMs: 50, run: () => new Promise(() => undefined) }),
    bridgeCheck("is-true"),
  ];
  const { exitCode, printed } = await run([], checks, stack({ now: "deployed" }));
  expect(exitCode).toBe(1);
  expect(printed).toBe(
    [
      ...["does not hold: is-false", "  seen otherwise", "  and again", "does not hold: breaks", "  no answer"],
      ...["does not hold: hangs", "  not done within 0 s", "1 passed, 3 failed, 1 not made"],
    ].join("\n"),
  );
});

test("Ctrl-C: no further check, no object left, the stack of the run destroyed; --resume goes on with the rest", async () => {
  const ctrlC = new AbortController();
  const second = bridgeCheck("interrupted", {
    run: async () => {
      ctrlC.abort();
      return await new Promise(() => undefined);
    },
  });
  const never = bridgeCheck("never", { run: () => Promise.reject(new Error("it must not be made")) });
  const deployment = stack();
  const first = await run([], [writing("write-one"), second, never], deployment, ctrlC);
  expect({ exitCode: first.exitCode, calls: deployment.calls }).toEqual({ exitCode: 130, calls: ["up", "destroy"] });
  expect(first.noted).toContain(`interrupted; go on with --resume --out ${folder}`);
  expect(s3.keys("tested-source")).toEqual([]);
  expect(await report()).toContain("The run was interrupted; `--resume` goes on.");

  const again = bridgeCheck("write-one", { run: () => Promise.reject(new Error("it has passed already")) });
  const resumed = await run(["--resume"], [again, bridgeCheck("interrupted"), bridgeCheck("never")], deployment);
  expect(resumed).toMatchObject({ exitCode: 0, printed: "4 passed, 0 failed, 0 not made" });
  expect(deployment.calls).toEqual(["up", "destroy", "up", "destroy"]);
});

test("a run whose process died is resumed: its stack is its own", async () => {
  const deployment = stack();
  await run(["--keep"], [bridgeCheck("see-one")], deployment);
  // The journal as it is when the process ends after the deployment.
  const lines = (await journal()).map((line) => JSON.stringify(line));
  const deployed = lines.findIndex((line) => line.includes('"deployed"'));
  await writeFile(join(folder, JOURNAL), `${lines.slice(0, deployed + 1).join("\n")}\n`);
  const { exitCode } = await run(["--resume"], [bridgeCheck("see-one"), bridgeCheck("see-two")], deployment);
  expect({ exitCode, calls: deployment.calls }).toEqual({ exitCode: 0, calls: ["up", "destroy"] });
});

test("a folder that holds a run is not written over", async () => {
  await run([], [bridgeCheck("see-one")], stack({ now: "deployed" }));
  const { exitCode, noted } = await run([], [bridgeCheck("see-one")], stack({ now: "deployed" }));
  expect(exitCode).toBe(2);
  expect(noted).toMatch(/holds a run already: add --resume, or name another folder with --out/);
});

test("a bucket that cannot be reached ends the run with code 3, and the stack of the run is destroyed", async () => {
  s3.remove("tested-destination");
  const deployment = stack();
  const { exitCode, noted } = await run([], [bridgeCheck("see-one")], deployment);
  expect({ exitCode, calls: deployment.calls }).toEqual({ exitCode: 3, calls: ["up", "destroy"] });
  expect(noted).toMatch(/the destination bucket tested-destination \(aws-cn, cn-north-1\)/);
});

test("--dry-run deploys nothing, writes nothing and says what it would do", async () => {
  const deployment = stack();
  const { exitCode, printed } = await run(["--dry-run"], [bridgeCheck("see-one")], deployment);
  expect({ exitCode, calls: deployment.calls, requests: s3.requests }).toEqual({ exitCode: 0, calls: [], requests: 0 });
  expect(printed).toContain("1. deploy the stack with pulumi up");
  await expect(journal()).rejects.toThrow("ENOENT");
});

test("a wrong command line is refused before anything is read", async () => {
  const deployment = stack();
  for (const [args, message] of [
    [["--only", "pear-keys"], /there is no check pear-keys/],
    [["--large", "6GiB"], /up to 5GiB/],
    [["--large", "many"], /such as 200MiB/],
    [["--resume"], /holds no run to resume/],
    [["--local"], /no stack of npm start/],
  ] as const) {
    const { exitCode, noted } = await run(args, [bridgeCheck("see-one")], deployment);
    expect(noted).toMatch(message);
    expect(exitCode).toBe(args[0] === "--local" ? 3 : 2);
  }
  expect(deployment.calls).toEqual([]);
});
