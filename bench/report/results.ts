/** The raw figures of all workloads in `bench/results.json`. A run of one workload replaces that workload only. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { isErrno } from "../../local/errno";
import type { ContenderResult } from "../runner";
import type { DataWorkload, TableReport } from "../workload";

/** Where and when a workload was measured. */
export interface Conditions {
  /** ISO 8601. */
  measuredAt: string;
  commit: string;
  /** The average number of running processes in the minute before the benchmark started. */
  load: number;
  machine: string;
  versions: Readonly<Record<string, string>>;
}

export type WorkloadResult = { conditions: Conditions } & (
  | { kind: "data"; objects: DataWorkload["objects"]; contenders: ContenderResult[] }
  | { kind: "other"; report: TableReport }
);

/** By the name of the workload. */
export type Results = Record<string, WorkloadResult>;

export async function readResults(path: string): Promise<Results> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Results;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return {};
    throw error;
  }
}

/** A reader sees the old file or the whole new one. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}
