/** The command itself: its options, its exit codes, and a stack that is not deployed. */
import { doctorCommand } from "../../../operator/doctor/command";
import type { ConfiguredStack } from "../../../operator/operated-bridge";
import { runProgram } from "../../../operator/run-program";
import { configOf } from "../../../operator/stack-settings";
import { statusOfVersions } from "./fake-aws";
import { type Clinic, closeClinic, pullClinic } from "./fixture";

type Pull = Clinic<Awaited<ReturnType<typeof pullClinic>>["source"], Awaited<ReturnType<typeof pullClinic>>["destination"]>;
let clinic: Pull;
beforeEach(async () => {
  clinic = await pullClinic();
});
afterEach(() => closeClinic(clinic));

const opened = (): ConfiguredStack => ({
  stack: "prod",
  config: configOf(
    "prod",
    Object.fromEntries(
      Object.entries({ name: "prod", ...clinic.settings }).map(([name, value]) => [`crossborderbridge:${name}`, value]),
    ),
  ),
  outputs: clinic.outputs,
  access: { source: clinic.source.access, destination: clinic.destination.access },
});

async function run(...args: string[]) {
  const printed: string[] = [];
  const noted: string[] = [];
  const exitCode = await runProgram(["doctor", "--stack", "prod", ...args], {
    version: "1.2.3",
    commands: [doctorCommand(async () => opened())],
    open: () => Promise.reject(new Error("the doctor opens the stack itself")),
    interrupt: { signal: new AbortController().signal, exitCode: () => undefined },
    print: (text) => void printed.push(text),
    note: (text) => void noted.push(text),
  });
  return { exitCode, printed: printed.join("\n"), noted: noted.join("\n") };
}

test("0 when all is in order", async () => {
  const { exitCode, printed, noted } = await run();
  expect({ exitCode, noted }).toEqual({ exitCode: 0, noted: "" });
  expect(printed).toMatch(/^prod, deployed: no problem, \d+ checks passed$/);
});

test("1 for a problem, with the command that mends it", async () => {
  clinic.source.answers["bucket:versioning"] = statusOfVersions("Suspended");
  const { exitCode, printed } = await run();
  expect(exitCode).toBe(1);
  expect(printed).toMatch(
    /^PROBLEM {6}versioning \(source\): the bucket from-here .*\n {2}why {8}.*\n {2}fix {8}aws s3api put-bucket-versioning /,
  );
});

test("3 where a check could not be made", async () => {
  clinic.source.answers["bucket:versioning"] = {
    status: 403,
    body: "<Error><Code>AccessDenied</Code><Message>no</Message></Error>",
  };
  const { exitCode, printed } = await run();
  expect(exitCode).toBe(3);
  expect(printed).toMatch(/^NOT CHECKED {2}versioning \(source\): AccessDenied: no\n/);
});

test("2 for a check that does not exist", async () => {
  const { exitCode, noted } = await run("--only", "versions");
  expect(exitCode).toBe(2);
  expect(noted).toMatch(/no check is named versions; there are: reachable, clock, /);
});

test("--only makes the named checks and those that they need, and shows the named ones", async () => {
  const { exitCode, printed } = await run("--only", "versioning", "--all");
  expect(exitCode).toBe(0);
  expect(printed.match(/^OK .*$/gm)).toEqual([
    expect.stringContaining("versioning (source)"),
    expect.stringContaining("versioning (destination)"),
  ]);
  expect(clinic.source.asked.filter((operation) => operation === "DescribeKey")).toEqual([]);
});

test("130 for Ctrl-C, and not a word of the checks that were made", async () => {
  const interrupted = new AbortController();
  const printed: string[] = [];
  const exitCode = await runProgram(["doctor", "--stack", "prod"], {
    version: "1.2.3",
    commands: [
      doctorCommand(async () => {
        interrupted.abort();
        return opened();
      }),
    ],
    open: () => Promise.reject(new Error("the doctor opens the stack itself")),
    interrupt: { signal: interrupted.signal, exitCode: () => 130 },
    print: (text) => void printed.push(text),
    note: () => undefined,
  });
  expect({ exitCode, printed }).toEqual({ exitCode: 130, printed: [] });
});

test("--json gives a line for each finding, and a summary", async () => {
  clinic.destination.answers.HeadBucket = { status: 404 };
  const { printed } = await run("--json");
  const lines = printed.split("\n").map((line) => JSON.parse(line) as { kind: string; check?: string });
  expect(lines[0]).toMatchObject({ kind: "finding", check: "bucket", side: "destination" });
  expect(lines.at(-1)).toMatchObject({ kind: "summary", stack: "prod", deployed: true, problems: 1 });
});

test("a stack that is not deployed is looked at as well", async () => {
  clinic.outputs = undefined;
  for (const side of [clinic.source, clinic.destination]) side.answers.HeadBucket = { status: 404 };
  const { exitCode, printed } = await run();
  expect(printed).toMatch(/^prod, before its first deployment: no problem, /);
  expect(exitCode).toBe(0);
});

test("every request only reads", async () => {
  await run();
  const writes = [clinic.source, clinic.destination].flatMap(({ server }) =>
    server.seen.filter(({ method, url, headers, body }) => {
      if (method === "GET" || method === "HEAD") return false;
      const operation = String(headers["x-amz-target"] ?? "").split(".")[1] ?? new URLSearchParams(body.toString()).get("Action");
      // An empty request without a signature, which the receiver refuses.
      const isKnock = url.includes("/execute-api/") && body.length === 0 && headers.authorization === undefined;
      return !isKnock && !/^(?:Get|Describe|Filter|List)/.test(operation ?? "");
    }),
  );
  expect(writes.map(({ method, url }) => `${method} ${url}`)).toEqual([]);
});
