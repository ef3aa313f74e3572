/** Runs a probe: measures how long an object takes from one side to the other, and writes the report. */
import { randomBytes } from "node:crypto";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type CommandContext, type CommonOptions, type ExitCode, FAILED, FINE, UsageError } from "../command";
import { DiskFull, onDisk, writeNewFile } from "../disk";
import { counted, grouped, sizeText } from "../text";
import type { LeftBehind } from "./measure";
import { type Measurement, measure, type Sample } from "./measure";
import { type AskedDirection, assertSizesInScope, directionsOf, planObjects } from "./plan";
import { openProbers } from "./probers";
import { keyOf, type ProbeRecord, recordsCsv, recordsJson, recordsOf } from "./records";
import { type RunFacts, summaryText } from "./summary";
import { systemTime, type Time } from "./time";

export interface ProbeOptions extends CommonOptions {
  sizes: number[];
  count: number;
  direction: AskedDirection;
  attempts: number;
  intervalMs: number;
  parallel: number;
  pauseMs: number;
  out?: string;
}

export interface ProbeDeps {
  time: Time;
  /** Unique per run: part of the names of its objects. */
  runId(startedAt: Date): string;
}

export const systemDeps: ProbeDeps = {
  time: systemTime,
  runId: (startedAt) => `${stampOf(startedAt)}-${randomBytes(3).toString("hex")}`,
};

export async function probe(context: CommandContext, options: ProbeOptions, deps: ProbeDeps): Promise<ExitCode> {
  const { bridge, note, print } = context;
  const { sizes, count } = options;
  const startedAt = new Date(deps.time.now());
  const { directions, remark } = directionsOf(options.direction, bridge);
  assertSizesInScope(sizes, bridge);
  const probers = openProbers(bridge);
  if (remark !== undefined) note(remark);
  const folder = options.out ?? `./probe-${bridge.stack.replace(/[^\w.-]+/g, "-")}-${stampOf(startedAt)}`;
  await prepareFolder(folder);

  const plan = planObjects({ run: deps.runId(startedAt), sizes, count, directions });
  let samplesSeen = 0;
  const onSample = (sample: Sample) =>
    note(`${String(++samplesSeen).padStart(String(plan.length).length)}/${plan.length}  ${sampleText(sample)}`);
  const measurement = await measure(plan, options, { probers, time: deps.time, signal: context.signal, onSample });

  for (const line of remainsText(context, measurement)) note(line);
  const records = recordsOf(measurement, bridge, options.intervalMs);
  if (records.length > 0) {
    const facts = { stack: bridge.stack, mode: bridge.config.mode, startedAt, options, clocks: measurement.clocks };
    const report = await writeReport(folder, records, facts).catch((error: unknown) => {
      if (error instanceof DiskFull) return error;
      throw error;
    });
    // The measurements are printed all the same.
    if (!context.json) print((report instanceof DiskFull ? summaryText(records, facts) : report).trimEnd());
    if (report instanceof DiskFull) {
      if (context.json) print(recordsJson(records).trimEnd());
      throw report;
    }
    note(`records, summary and chart are in ${folder}`);
  }
  if (context.json) print(recordsJson(records).trimEnd());
  if ("failure" in measurement) throw measurement.failure;
  return records.some((record) => record.gave_up) || measurement.leftBehind.length > 0 ? FAILED : FINE;
}

/** The duration is not corrected by the clocks' difference, which is known only later. */
function sampleText({ object, postedAtMs, seenAtMs, attempts }: Sample): string {
  const result =
    seenAtMs === undefined ? `gave up after ${counted(attempts, "look")}` : `${grouped(Math.max(0, seenAtMs - postedAtMs))} ms`;
  return `${object.direction}  ${sizeText(object.sizeBytes).padStart(8)}  ${result}`;
}

function remainsText({ bridge }: CommandContext, { leftBehind, late }: Measurement): string[] {
  const where = ({ side, name }: Pick<LeftBehind, "side" | "name">) => `${bridge[side].bucket}: ${keyOf(bridge, side, name)}`;
  return [
    ...leftBehind.map((left) => `not removed from ${where(left)} (${left.reason})`),
    ...late.map((name) => `never seen; it may have arrived after the end, so check ${where(name)}`),
  ];
}

/** `20261121T101530Z` */
function stampOf(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
}

const FILES = {
  json: "records.json",
  csv: "records.csv",
  summary: "summary.txt",
  svg: "latency.svg",
  png: "latency.png",
} as const;

/** Called before the first object is sent, so that no result is lost. @throws UsageError if the folder holds another run's files */
export async function prepareFolder(folder: string): Promise<void> {
  await onDisk(folder, () => mkdir(folder, { recursive: true }));
  const present = await readdir(folder);
  const other = Object.values(FILES).find((file) => present.includes(file));
  if (other !== undefined) throw new UsageError(`${join(folder, other)} is there already; name another folder with --out`);
}

/**
 * @param records at least one
 * @returns the summary
 */
export async function writeReport(folder: string, records: readonly ProbeRecord[], facts: RunFacts): Promise<string> {
  const summary = summaryText(records, facts);
  const write = (file: string, content: string | Buffer) => writeNewFile(join(folder, file), content);
  // The records come first: a chart can be drawn from them again.
  await write(FILES.json, recordsJson(records));
  await write(FILES.csv, recordsCsv(records));
  await write(FILES.summary, summary);
  const chart = await loadChart();
  if (chart === undefined) return `${summary.trimEnd()}\n\n${NO_CHART}\n`;
  const svg = chart.drawSvg(records, facts);
  await write(FILES.svg, svg);
  await write(FILES.png, chart.pngOf(svg));
  return summary;
}

const NO_CHART =
  "no chart was drawn: install echarts, @resvg/resvg-js and dejavu-fonts-ttf beside this command, or run it in a checkout";

/** Undefined where the libraries of the chart are not there: the published package does not bring them. */
async function loadChart(): Promise<typeof import("./chart") | undefined> {
  try {
    return await import("./chart");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
