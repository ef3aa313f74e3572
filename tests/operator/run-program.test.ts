import { Writable } from "node:stream";
import { ConfigInvalid } from "../../components/config";
import {
  bridgeCommand,
  byteSize,
  CannotLook,
  type CommandContext,
  duration,
  EXIT_CODES,
  type ExitCode,
  FAILED,
  FINE,
  ObjectsFailed,
  type RegisterCommand,
  since,
  UsageError,
  whole,
} from "../../operator/command";
import type { OperatedBridge } from "../../operator/operated-bridge";
import { flush, runProgram } from "../../operator/run-program";
import { BridgeError } from "../../runtime/stores/errors";

interface Run {
  args: string[];
  work?: (context: CommandContext, options: Record<string, unknown>) => Promise<ExitCode>;
  open?: () => Promise<never>;
  close?: () => Promise<void>;
  /** Interrupts the command, as Ctrl-C would. */
  interrupt?: AbortController;
}

async function run({
  args,
  work = async () => FINE,
  open,
  close = async () => undefined,
  interrupt = new AbortController(),
}: Run) {
  const printed: string[] = [];
  const noted: string[] = [];
  const opened: unknown[] = [];
  let closed = 0;
  const register: RegisterCommand = (program, onBridge) => {
    bridgeCommand(program, "look", "Looks.")
      .argument("[key...]")
      .option("--count <n>", "how many", whole(1, 9), 1)
      .action((_keys: string[], options) => onBridge(options, (context) => work(context, options)));
  };
  const exitCode = await runProgram(args, {
    version: "1.2.3",
    commands: [register],
    open: async (options) => {
      opened.push(options);
      if (open) return open();
      const closing = () => {
        closed += 1;
        return close();
      };
      const bridge = { stack: options.stack, close: closing } as unknown as OperatedBridge;
      return { bridge, access: {} as CommandContext["access"] };
    },
    interrupt: { signal: interrupt.signal, exitCode: () => (interrupt.signal.aborted ? 130 : undefined) },
    print: (text) => void printed.push(text),
    note: (text) => void noted.push(text),
  });
  return { exitCode, printed, noted: noted.join("\n"), opened, closed };
}

const ARGS = ["look", "--stack", "dev"];

test("the work gets its bridge and its options, and the bridge is closed", async () => {
  const { exitCode, printed, noted, opened, closed } = await run({
    args: [...ARGS, "--json", "--local", "--count", "3", "a", "b"],
    work: async ({ bridge, json, local, signal, print, note }, options) => {
      print(JSON.stringify([bridge.stack, json, local, signal.aborted, options.count]));
      note("done");
      return FINE;
    },
  });
  expect({ exitCode, printed, noted, closed }).toEqual({
    exitCode: 0,
    printed: ['["dev",true,true,false,3]'],
    noted: "done",
    closed: 1,
  });
  expect(opened).toEqual([{ stack: "dev", json: true, local: true, count: 3 }]);
});

test("flags default to false", async () => {
  const { printed } = await run({
    args: ARGS,
    work: async ({ json, local, print }) => {
      print(`${json} ${local}`);
      return FINE;
    },
  });
  expect(printed).toEqual(["false false"]);
});

test("the exit code reports a failure without an error", async () => {
  expect(await run({ args: ARGS, work: async () => FAILED })).toMatchObject({ exitCode: 1, noted: "", closed: 1 });
});

test.each<[string, unknown, number, string]>([
  ["a refusal of the store", new BridgeError("PermissionDenied", "head", "you may not"), 3, "you may not"],
  ["a bucket that cannot be looked at", new CannotLook("the bucket is gone"), 3, "the bucket is gone"],
  ["objects that failed", new ObjectsFailed("100 objects were refused"), 1, "100 objects were refused"],
  ["bad usage", new UsageError("name keys"), 2, "name keys"],
  ["a wrong setting", new ConfigInvalid(["source: is missing"]), 2, "The configuration has an error:\n  source: is missing"],
  ["a bucket of another region", new BridgeError("ConfigInvalid", "list", "301"), 2, "301"],
  [
    "several at once",
    new AggregateError([new Error("one"), new Error("two")], "closing failed"),
    3,
    "closing failed\n  one\n  two",
  ],
  ["no error at all", "text", 3, "text"],
])("%s is one text without a stack", async (_what, thrown, exitCode, noted) => {
  const work = () => Promise.reject(thrown);
  expect(await run({ args: ARGS, work })).toMatchObject({ exitCode, noted, closed: 1, printed: [] });
});

test("a bridge that cannot be opened or closed is a failure", async () => {
  const open = () => Promise.reject(new Error("no such stack"));
  expect(await run({ args: ARGS, open })).toMatchObject({ exitCode: 3, noted: "no such stack", closed: 0 });
  const close = () => Promise.reject(new Error("stuck"));
  expect(await run({ args: ARGS, close })).toMatchObject({ exitCode: 3, noted: "stuck" });
});

test.each<[string, string[], RegExp]>([
  ["no bridge", ["look"], /name the bridge: --stack <name>, --local, or --outputs <file>/],
  ["an unknown option", [...ARGS, "--nope"], /unknown option '--nope'/],
  ["an unknown command", ["nope"], /unknown command 'nope'/],
  ["no number", [...ARGS, "--count", "two"], /'--count <n>' argument 'two' is invalid. It must be a whole number from 1 to 9/],
  ["too large a number", [...ARGS, "--count", "10"], /from 1 to 9/],
  ["half a number", [...ARGS, "--count", "1.5"], /from 1 to 9/],
])("bad usage: %s", async (_what, args, noted) => {
  const ran = await run({ args });
  expect(ran).toMatchObject({ exitCode: 2, noted: expect.stringMatching(noted), opened: [] });
});

test("the version exits with 0", async () => {
  expect(await run({ args: ["--version"] })).toMatchObject({ exitCode: 0, printed: ["1.2.3"], noted: "" });
});

test("--verbose names the kinds of an error's causes, without their texts", async () => {
  const socket = Object.assign(new Error("AKIA and secret"), { code: "ECONNRESET" });
  const work = () => Promise.reject(new BridgeError("Unavailable", "head", "no answer", { cause: socket }));
  expect((await run({ args: ARGS, work })).noted).toBe("no answer");
  expect((await run({ args: [...ARGS, "-v"], work })).noted).toBe("no answer\n  because: Error ECONNRESET");
});

test("help exits with 0 and opens nothing", async () => {
  const { exitCode, printed, opened } = await run({ args: ["--help"] });
  expect({ exitCode, opened }).toEqual({ exitCode: 0, opened: [] });
  expect(printed.join("\n")).toMatch(/look \[options\] \[key\.\.\.\]\s+Looks\./);
  const ofCommand = (await run({ args: ["look", "--help"] })).printed.join("\n");
  for (const [code, meaning] of Object.entries(EXIT_CODES))
    for (const help of [printed.join("\n"), ofCommand]) expect(help).toContain(`  ${code}  ${meaning}`);
});

test.each<[string, (signal: AbortSignal) => Promise<ExitCode>]>([
  ["by an error", (signal) => Promise.reject(signal.reason)],
  ["in good order", async () => FAILED],
])("interrupted work that ends %s: the shell's exit code, one word, and the bridge is closed", async (_how, end) => {
  const interrupt = new AbortController();
  const work = ({ signal }: CommandContext) => {
    interrupt.abort();
    return end(signal);
  };
  expect(await run({ args: ARGS, interrupt, work })).toMatchObject({ exitCode: 130, noted: "interrupted", closed: 1 });
});

test.each([
  ["90s", 90_000],
  ["15m", 900_000],
  ["2h", 7_200_000],
  ["3d", 259_200_000],
])("%s is %i ms", (text, ms) => {
  expect(duration(text)).toBe(ms);
});

test.each([
  ["500", 500],
  ["10KiB", 10_240],
  ["1.5GiB", 1_610_612_736],
])("%s is %i bytes", (text, bytes) => expect(byteSize(text)).toBe(bytes));

test.each(["0", "1.5", "10MB", "10 MiB", "-1", "MiB"])("%s is no size", (text) => {
  expect(() => byteSize(text)).toThrow(/^It must be a whole number of bytes above zero, such as 500, 10MiB or 1.5GiB/);
});

test("a point in time is how long ago, or a date", () => {
  const nowMs = Date.parse("2026-11-30T12:00:00Z");
  const atMs = (text: string) => new Date(since(text).atMs(nowMs)).toISOString();
  expect(atMs("2h")).toBe("2026-11-30T10:00:00.000Z");
  expect(atMs("2026-11-29")).toBe("2026-11-29T00:00:00.000Z");
  expect(atMs("2026-11-29T08:00:00+08:00")).toBe("2026-11-29T00:00:00.000Z");
  for (const text of ["yesterday", "29/11/2026", "0h", "2026-13-01"]) expect(() => since(text)).toThrow(/^It must be a time /);
});

test.each(["0s", "15", "m", "1.5h", "-1m", "15 m", "1w"])("%s is no time", (text) => {
  expect(() => duration(text)).toThrow("It must be a time above zero, such as 90s, 15m, 2h or 3d.");
});

test("flush waits for a slow reader", async () => {
  const read: string[] = [];
  const slow = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      setTimeout(() => {
        read.push(chunk.toString());
        done();
      }, 5);
    },
  });
  for (const text of ["a", "b", "c"]) slow.write(text);
  await flush(slow);
  expect(read.join("")).toBe("abc");
});

test("flush does not wait for a reader that is gone", async () => {
  const gone = new Writable({ write: (_chunk, _encoding, done) => done(new Error("EPIPE")) });
  gone.on("error", () => undefined);
  gone.write("a");
  await flush(gone);
});
