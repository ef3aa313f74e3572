/** The files that a run leaves. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../command";
import { type ProbeRecord, recordsCsv, recordsJson } from "./records";
import { type RunFacts, summaryText } from "./summary";

const FILES = {
  json: "records.json",
  csv: "records.csv",
  summary: "summary.txt",
  svg: "latency.svg",
  png: "latency.png",
} as const;

/** Before the first object is sent, so that no run is lost for want of a place. @throws UsageError where another run's files are */
export async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
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
  const write = (file: string, content: string | Buffer) => writeFile(join(folder, file), content, { flag: "wx" });
  // What was measured is kept first: a chart can be drawn from it again.
  await write(FILES.json, recordsJson(records));
  await write(FILES.csv, recordsCsv(records));
  await write(FILES.summary, summary);
  const { drawSvg, pngOf } = await import("./chart");
  const svg = drawSvg(records, facts);
  await write(FILES.svg, svg);
  await write(FILES.png, pngOf(svg));
  return summary;
}
