/** The probe command: how long an object takes from one side to the other, seen from outside of the bridge. */
import { randomBytes } from "node:crypto";
import { type CommandContext, type CommonOptions, type ExitCode, FAILED, FINE } from "../command";
import { counted, grouped } from "../text";
import type { LeftBehind } from "./clean-up";
import { type Measurement, measure, type Sample } from "./measure";
import { type AskedDirection, assertSizesInScope, directionsOf, planObjects } from "./plan";
import { openProbers } from "./probers";
import { keyOf, recordsJson, recordsOf } from "./records";
import { prepareFolder, writeReport } from "./report";
import { sizeText } from "./sizes";
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
  /** Apart from every other run's; in the names of its objects. */
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
  let told = 0;
  const onSample = (sample: Sample) =>
    note(`${String(++told).padStart(String(plan.length).length)}/${plan.length}  ${sampleText(sample)}`);
  const measurement = await measure(plan, options, { probers, time: deps.time, signal: context.signal, onSample });

  for (const line of leftText(context, measurement)) note(line);
  const records = recordsOf(measurement, bridge, options.intervalMs);
  if (records.length > 0) {
    const facts = { stack: bridge.stack, mode: bridge.config.mode, startedAt, options, clocks: measurement.clocks };
    const summary = await writeReport(folder, records, facts);
    if (!context.json) print(summary.trimEnd());
    note(`records, summary and chart are in ${folder}`);
  }
  if (context.json) print(recordsJson(records).trimEnd());
  if ("failure" in measurement) throw measurement.failure;
  return records.some((record) => record.gave_up) || measurement.leftBehind.length > 0 ? FAILED : FINE;
}

/** As the two clocks have it; the records know more of them at the end. */
function sampleText({ object, postedAtMs, seenAtMs, attempts }: Sample): string {
  const result =
    seenAtMs === undefined ? `gave up after ${counted(attempts, "look")}` : `${grouped(Math.max(0, seenAtMs - postedAtMs))} ms`;
  return `${object.direction}  ${sizeText(object.sizeBytes).padStart(8)}  ${result}`;
}

function leftText({ bridge }: CommandContext, { leftBehind, late }: Measurement): string[] {
  const where = ({ side, name }: Pick<LeftBehind, "side" | "name">) => `${bridge[side].bucket}: ${keyOf(bridge, side, name)}`;
  return [
    ...leftBehind.map((left) => `not removed from ${where(left)} (${left.reason})`),
    ...late.map((name) => `never seen, so look whether it came after the end to ${where(name)}`),
  ];
}

/** `20261121T101530Z` */
function stampOf(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
}
