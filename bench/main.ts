/** `npm run bench`: measures the product beside its peers, and writes the results. */

import { mkdir, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir, totalmem, type } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Table from "cli-table3";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { ensureCertificate } from "../local/aws/certificate";
import { runCli } from "../local/cli/interrupt";
import { DEFAULT_STATE_DIR, REPOSITORY_ROOT } from "../local/paths";
import { runCommand } from "../local/run-command";
import { PLAIN } from "../operator/text";
import { bundleClient } from "./client/bundle";
import { chartRows, drawChart } from "./report/chart";
import { contenderRows, MOST_LOAD, RUN_COLUMNS, resultsPage, titleOf, verdictsOf } from "./report/markdown";
import { type Conditions, type Results, readResults, type WorkloadResult, writeWhole } from "./report/results";
import { measureData, memoryFolder, type RunnerOptions } from "./runner";
import { ensureTools } from "./tools";
import type { Workload } from "./workload";
import { QUICK_NAMES, quickened, selectWorkloads, WORKLOADS } from "./workloads";

export interface BenchOptions {
  words: string[];
  quick: boolean;
  list: boolean;
  rounds: number;
  anyLoad: boolean;
}

const ROUNDS = 5;
const QUICK_ROUNDS = 3;

/** @throws CommanderError for options that cannot be read; it has printed the reason. */
export function parseArguments(args: readonly string[]): BenchOptions {
  const command = new Command("bench")
    .description("Measures the product beside rclone, s5cmd and curl, and writes bench/RESULTS.md.")
    .argument("[workloads...]", "names or groups of workloads; all of them when there is none")
    .option("--quick", "small sizes and few rounds, for a look in 3 minutes; does not touch bench/RESULTS.md", false)
    .option("--list", "prints the workloads and ends", false)
    .option("--rounds <number>", `how often each contender runs (default: ${ROUNDS}, with --quick ${QUICK_ROUNDS})`, wholeNumber)
    .option("--any-load", "measures on a busy machine as well; the page then says so", false)
    .exitOverride()
    .parse(args, { from: "user" });
  const { quick, list, rounds = quick ? QUICK_ROUNDS : ROUNDS, anyLoad } = command.opts();
  return { words: command.args, quick, list, rounds, anyLoad };
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("it must be a whole number, at least 1");
  return value;
}

const BENCH_FOLDER = join(REPOSITORY_ROOT, "bench");
const CHART_NAME = "results.svg";

async function main({ words, quick, list, rounds, anyLoad }: BenchOptions, signal: AbortSignal): Promise<void> {
  const chosen = selectWorkloads(words.length === 0 && quick ? QUICK_NAMES : words);
  if (list) return printList(chosen);
  const load = await quietMachine({ waits: !quick && !anyLoad, signal });
  const tools = await ensureTools(say, signal);
  const { measure: _measure, ...programs } = tools;
  for (const [name, { path, version }] of Object.entries(programs)) say(`${name} ${version}: ${path}`);
  const folder = await memoryFolder();
  try {
    const runner: RunnerOptions = {
      tools,
      certificate: await ensureCertificate(DEFAULT_STATE_DIR),
      clientPath: await bundleClient(folder),
      rounds,
      onProgress: say,
      signal,
    };
    const output = quick ? join(tmpdir(), "crossborderbridge-bench-quick") : BENCH_FOLDER;
    await mkdir(output, { recursive: true });
    const results = quick ? {} : await readResults(join(output, "results.json"));
    const failures: string[] = [];
    for (const workload of chosen) {
      signal.throwIfAborted();
      try {
        const conditions = await conditionsNow(load, runner);
        const measured = quick && workload.kind === "data" ? quickened(workload) : workload;
        const result = await measure(measured, { runner, quick, conditions });
        printResult(workload, result);
        results[workload.name] = result;
        await writeResults(output, results);
      } catch (error) {
        // The others are measured all the same: a run of everything takes an hour.
        signal.throwIfAborted();
        failures.push(`${workload.name}: ${(error as Error).message}`);
        say(failures.at(-1) as string);
      }
    }
    say(`written: ${join(output, "RESULTS.md")}`);
    if (failures.length > 0) throw new Error(`not measured:\n${failures.join("\n")}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const say = (line: string): void => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

function printList(workloads: readonly Workload[]): void {
  const table = new Table({ head: ["name", "groups", "what"], style: PLAIN });
  for (const workload of workloads) table.push([workload.name, workload.groups.join(", "), titleOf(workload)]);
  console.log(table.toString());
}

const PATIENCE_MS = 5 * 60_000;
const LOOK_MS = 5_000;

/** Waits until the machine is quiet. @returns the load */
async function quietMachine({ waits, signal }: { waits: boolean; signal: AbortSignal }): Promise<number> {
  const endMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const [load = 0] = loadavg();
    if (load < MOST_LOAD) return load;
    if (!waits) {
      say(`the load is ${load.toFixed(2)}: the figures are no results`);
      return load;
    }
    if (Date.now() > endMs)
      throw new Error(
        `the load stays at ${load.toFixed(2)}, and the figures need less than ${MOST_LOAD}: end other programs, or measure all the same with --any-load`,
      );
    say(`the load is ${load.toFixed(2)}; waiting until it is below ${MOST_LOAD}`);
    // No event reports that the load falls.
    await delay(LOOK_MS, undefined, { signal });
  }
}

async function conditionsNow(load: number, { tools }: RunnerOptions): Promise<Conditions> {
  const [{ model = "unknown processor" } = {}] = cpus();
  const gib = Math.round(totalmem() / 1024 ** 3);
  const { versitygw, rclone, s5cmd, curl } = tools;
  return {
    measuredAt: new Date().toISOString(),
    commit: await commitNow(),
    load,
    machine: `${cpus().length} cores (${model.trim()}), ${gib} GiB, ${type()}, Node.js ${process.versions.node}`,
    versions: Object.fromEntries(
      Object.entries({ versitygw, rclone, s5cmd, curl }).map(([name, { version }]) => [name, version]),
    ),
  };
}

/** With `+` where files have changed since, other than the results. */
async function commitNow(): Promise<string> {
  const git = async (...args: string[]) => (await runCommand("git", args, { cwd: REPOSITORY_ROOT })).stdout.trim();
  const changed = await git(
    "status",
    "--porcelain",
    "--",
    ".",
    ...["RESULTS.md", "results.json", CHART_NAME].map((name) => `:!bench/${name}`),
  );
  return `${await git("rev-parse", "--short=10", "HEAD")}${changed === "" ? "" : "+"}`;
}

async function measure(
  workload: Workload,
  { runner, quick, conditions }: { runner: RunnerOptions; quick: boolean; conditions: Conditions },
): Promise<WorkloadResult> {
  if (workload.kind === "other")
    return { kind: "other", conditions, report: await workload.measure({ quick, onProgress: say, rounds: runner.rounds }) };
  return { kind: "data", conditions, objects: workload.objects, contenders: await measureData(workload, runner) };
}

function printResult(workload: Workload, result: WorkloadResult): void {
  const title = titleOf(workload, result.kind === "data" ? result.objects : undefined);
  const [head, rows] = result.kind === "data" ? [RUN_COLUMNS, contenderRows(result)] : [result.report.head, result.report.rows];
  const table = new Table({ head: [...head], style: PLAIN });
  for (const row of rows) table.push([...row]);
  console.log(`\n${title}\n${table.toString()}`);
  for (const { own, target, measured, isMet } of verdictsOf(workload, result))
    console.log(`${isMet ? "met   " : "missed"} ${[own, target].filter((text) => text !== "").join(": ")}: ${measured}`);
  console.log();
}

async function writeResults(folder: string, results: Results): Promise<void> {
  const rows = chartRows(WORKLOADS, results);
  await writeWhole(join(folder, "results.json"), `${JSON.stringify(results, undefined, 1)}\n`);
  await writeWhole(join(folder, "RESULTS.md"), resultsPage(WORKLOADS, results, rows.length > 0 ? CHART_NAME : undefined));
  if (rows.length > 0) await writeWhole(join(folder, CHART_NAME), drawChart(rows, chartSubtitle(results)));
}

/** The machines and the days of the figures. */
function chartSubtitle(results: Results): string {
  const all = Object.values(results).map(({ conditions }) => conditions);
  const days = [...new Set(all.map(({ measuredAt }) => measuredAt.slice(0, 10)))].sort();
  return `${[...new Set(all.map(({ machine }) => machine))].join("; ")}  ·  ${days.join(", ")}`;
}

/** Undefined where there is nothing to do: a wish for help, or wrong options, of which the reason is printed. */
function optionsOf(args: readonly string[]): BenchOptions | undefined {
  try {
    return parseArguments(args);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode;
    return undefined;
  }
}

if (require.main === module) {
  const options = optionsOf(process.argv.slice(2));
  if (options !== undefined) void runCli(({ signal }) => main(options, signal));
}
