import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { parseSizes, registerProbe } from "../../../operator/probe/command";
import { systemTime } from "../../../operator/probe/time";
import { runProgram } from "../../../operator/run-program";
import { fakeBridge } from "./fake-bridge";

// Help and other commands do not load these libraries.
jest.mock("echarts", () => {
  loaded.push("echarts");
  return jest.requireActual("echarts");
});
jest.mock("@resvg/resvg-js", () => {
  loaded.push("@resvg/resvg-js");
  return jest.requireActual("@resvg/resvg-js");
});
const loaded: string[] = [];

async function run(...args: string[]) {
  const [printed, noted]: [string[], string[]] = [[], []];
  const roundTripMs = { source: 2, destination: 2 };
  const { bridge } = fakeBridge({ time: systemTime as never, lagMs: () => 20, roundTripMs });
  const exitCode = await runProgram(["probe", "--stack", "aws-to-china", ...args], {
    version: "0.0.0",
    commands: [registerProbe],
    open: () => Promise.resolve({ bridge, access: undefined as never }),
    interrupt: { signal: new AbortController().signal, exitCode: () => undefined },
    print: (text) => printed.push(text),
    note: (text) => noted.push(text),
  });
  return { exitCode, printed: printed.join("\n"), noted: noted.join("\n") };
}

test.each([
  [["--sizes", "1KiB,5parsecs"], '"parsecs" in "5parsecs" is not a unit of this command; allowed: B, KiB, MiB.'],
  [["--count", "0"], "It must be a whole number from 1 to 1000."],
  [["--direction", "sideways"], "Allowed choices are both, forth, back."],
  [["--interval-ms", "1"], "It must be a whole number from 10 to 60000."],
  [["--direction", "back"], "there is no way back to measure"],
])("%j is bad usage", async (args, message) => {
  const { exitCode, noted } = await run(...args);
  expect(exitCode).toBe(2);
  expect(noted).toContain(message);
  expect(loaded).toEqual([]);
});

test("the help shows the default sizes with their units", async () => {
  const { exitCode, printed } = await run("--help");
  expect(exitCode).toBe(0);
  expect(printed).toContain("128KiB,256KiB,512KiB,1MiB,2MiB,4MiB");
});

test("runs with the options given, and loads the drawing libraries only then", async () => {
  const folder = await mkdtemp(join(tmpdir(), "probe-"));
  try {
    expect(loaded).toEqual([]);
    const { exitCode, printed } = await run("--sizes", "1KiB", "--count", "2", "--interval-ms", "10", "--out", folder, "--json");
    expect(exitCode).toBe(0);
    expect(JSON.parse(printed)).toHaveLength(2);
    expect(await readFile(join(folder, "records.json"), "utf8")).toBe(`${printed}\n`);
    expect((await readdir(folder)).length).toBe(5);
    expect(loaded.sort()).toEqual(["@resvg/resvg-js", "echarts"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("sorts the sizes and drops duplicates", () => {
  expect(parseSizes("1MiB, 128KiB,0B,128KiB,1.5MiB,100 B")).toEqual([0, 100, 131_072, 1_048_576, 1_572_864]);
});

test.each([
  ["128KB", '"KB" in "128KB" is not a unit of this command; allowed: B, KiB, MiB.'],
  ["1GiB", '"GiB" in "1GiB" is not a unit of this command; allowed: B, KiB, MiB.'],
  ["128kib", '"kib" in "128kib" is not a unit of this command; allowed: B, KiB, MiB.'],
  ["128", "128 has no unit; allowed: B, KiB, MiB."],
  ["1MiB,", '"" is not a size; write a number and its unit, such as 512KiB.'],
  ["-1KiB", '"-1KiB" is not a size; write a number and its unit, such as 512KiB.'],
  ["0.3B", "0.3B is not a whole number of bytes."],
  ["65MiB", "65MiB is more than a prober can hold; at most 64 MiB."],
  [Array.from({ length: 17 }, (_, index) => `${index}KiB`).join(","), "These are 17 sizes; at most 16 fit."],
])("refuses %s", (text, message) => {
  expect(() => parseSizes(text)).toThrow(new InvalidArgumentError(message));
});
