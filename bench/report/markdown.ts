/** The page `bench/RESULTS.md`. */
import { grouped } from "../../operator/text";
import type { RequestCounts } from "../servers/store-server";
import type { DataWorkload, OtherWorkload, Workload } from "../workload";
import type { Conditions, Results, WorkloadResult } from "./results";
import { ratioOf, spreadOf } from "./statistics";
import { bestPeer, ratioText, timesOf, type Verdict, verdictOn } from "./targets";

const MIB = 1024 ** 2;
const UNITS = ["B", "KiB", "MiB", "GiB"] as const;

/** In the largest unit that has no fraction. */
export function sizeName(sizeBytes: number): string {
  let unit = 0;
  let size = sizeBytes;
  while (size >= 1024 && size % 1024 === 0 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size} ${UNITS[unit]}`;
}

const STORES = { s3: "S3", oss: "OSS" } as const;

/** `2,000 x 4 KiB, S3 to S3, TLS` */
export function titleOf(workload: Workload, objects = workload.kind === "data" ? workload.objects : undefined): string {
  if (workload.kind === "other" || objects === undefined) return (workload as OtherWorkload).title;
  const { source, destination, transport, link } = workload;
  const size = sizeName(objects.sizeBytes);
  return [
    objects.count === 1 ? size : `${grouped(objects.count)} x ${size}`,
    `${STORES[source]} to ${STORES[destination]}`,
    transport === "tls" ? "TLS" : "plain HTTP",
    ...(link === undefined ? [] : [`source ${link.roundTripMs} ms away, window ${sizeName(link.windowBytes)}`]),
  ].join(", ");
}

/** @param chart the path of the chart, from the page */
export function resultsPage(workloads: readonly Workload[], results: Results, chart: string | undefined): string {
  const measured = workloads.flatMap((workload) => {
    const result = results[workload.name];
    return result?.kind === workload.kind ? [{ workload, result }] : [];
  });
  return [
    "# Results of the benchmark",
    "",
    "Written by `npm run bench`; [docs/benchmarks.md](../docs/benchmarks.md) says how it measures and how to read this page. The raw figures are in",
    "[results.json](results.json).",
    "",
    ...(chart === undefined ? [] : [`![The time of the product as a multiple of the best peer's](${chart})`, ""]),
    "## Targets",
    "",
    ...markdownTable(
      ["Workload", "Way", "Target", "Measured", "Met"],
      measured.flatMap(({ workload, result }) =>
        verdictsOf(workload, result).map(({ own, target, measured: found, isMet }) => [
          titleOf(workload, objectsOf(result)),
          own,
          target,
          found,
          isMet ? "yes" : "**no**",
        ]),
      ),
    ),
    "",
    "A ratio is that of the medians; in brackets the least and the greatest ratio of two runs of the same round.",
    "",
    ...measured.flatMap(({ workload, result }) => section(workload, result)),
  ].join("\n");
}

const objectsOf = (result: WorkloadResult) => (result.kind === "data" ? result.objects : undefined);

export function verdictsOf(workload: Workload, result: WorkloadResult): Omit<Verdict, "ratio">[] {
  if (result.kind === "other") return result.report.targets.map((one) => ({ own: "", ...one }));
  if (workload.kind === "other") return [];
  return workload.targets.flatMap((target) => verdictOn(target, result.contenders, result.objects) ?? []);
}

function section(workload: Workload, result: WorkloadResult): string[] {
  const head = [`## ${titleOf(workload, objectsOf(result))}`, "", conditionsText(workload.name, result), ""];
  if (result.kind === "other") {
    const { head: columns, rows, notes } = result.report;
    return [...head, ...markdownTable(columns, rows), "", ...notes.flatMap((note) => [note, ""])];
  }
  return [
    ...head,
    ...markdownTable(RUN_COLUMNS, contenderRows(result)),
    "",
    ...markdownTable(
      ["", "What the destination verifies", "Requests to the source", "Requests to the destination"],
      result.contenders.map(({ label, integrity, requests }) => [
        label,
        integrity,
        requestsText(requests.source),
        requestsText(requests.destination),
      ]),
    ),
    "",
    ...noteOf(workload),
  ];
}

const noteOf = (workload: Workload): string[] =>
  workload.kind === "data" && workload.note !== undefined ? [workload.note, ""] : [];

export const RUN_COLUMNS = [
  "",
  "Wall s: min / median / max",
  "Rate",
  "x the best peer's time",
  "CPU s",
  "Memory MiB",
  "Wall s without the start of the process",
] as const;

/** One row for each contender. */
export function contenderRows({ objects, contenders }: Extract<WorkloadResult, { kind: "data" }>): string[][] {
  const best = bestPeer(contenders);
  return contenders.map((contender) => {
    const { label, isOwn, runs } = contender;
    const { min, median, max } = spreadOf(timesOf(contender));
    const isSlow = runs.length < Math.max(...contenders.map((other) => other.runs.length));
    const work = runs.flatMap(({ workSeconds }) => workSeconds ?? []);
    return [
      isSlow ? `${label} (${runs.length} runs)` : label,
      `${seconds(min)} / ${seconds(median)} / ${seconds(max)}`,
      rateText(objects, median),
      isOwn && best !== undefined ? ratioText(ratioOf(timesOf(contender), timesOf(best))) : "",
      seconds(spreadOf(runs.map(({ cpuSeconds }) => cpuSeconds)).median),
      String(Math.round(Math.max(...runs.map(({ rssBytes }) => rssBytes)) / MIB)),
      work.length === 0 ? "" : seconds(spreadOf(work).median),
    ];
  });
}

const seconds = (value: number): string => value.toFixed(value < 10 ? 2 : 1);

function rateText({ count, sizeBytes }: DataWorkload["objects"], wallSeconds: number): string {
  return count === 1
    ? `${grouped(Math.round(sizeBytes / MIB / wallSeconds))} MiB/s`
    : `${grouped(Math.round(count / wallSeconds))} objects/s`;
}

function requestsText(counts: RequestCounts): string {
  const entries = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, count]) => `${grouped(count)} ${name}`).join(", ");
}

function conditionsText(name: string, { conditions, ...result }: { conditions: Conditions } & WorkloadResult): string {
  const { measuredAt, commit, load, machine, versions } = conditions;
  const rounds = result.kind === "data" ? ` ${Math.max(...result.contenders.map(({ runs }) => runs.length))} rounds.` : "";
  const tools = Object.entries(versions).map(([tool, version]) => `${tool} ${version}`);
  const isBusy = load >= MOST_LOAD ? " **The machine was busy: these figures are no results.**" : "";
  return (
    `\`npm run bench -- ${name}\`, ${measuredAt.slice(0, 16).replace("T", " ")} UTC, commit ${commit}. ${machine}. ` +
    `Load at the start ${load.toFixed(2)}.${isBusy}${rounds} ${tools.join(", ")}.`
  );
}

/** Above this average other programs take so much time from the contenders that the ratios change. */
export const MOST_LOAD = 1;

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)];
}
