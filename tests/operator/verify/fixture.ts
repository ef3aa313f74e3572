/** A verification of a bridge between two stores in memory. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CommandContext } from "../../../operator/command";
import type { Finding } from "../../../operator/verify/findings";
import type { VerifyDeps, VerifyOptions } from "../../../operator/verify/options";
import { verify } from "../../../operator/verify/verify";
import { ACCESS, CLOCK, type FakeBridge } from "../backfill/fixture";

/** An hour after every write, so that no difference is on its way. */
export const LATER = { now: () => CLOCK.now() + 3_600_000 };

export interface Given extends Partial<VerifyOptions> {
  folder: string;
  signal?: AbortSignal;
  deps?: Partial<VerifyDeps>;
}

export interface Ran {
  exitCode: number;
  printed: string[];
  noted: string[];
}

export const filesIn = (folder: string) => ({
  checkpoint: join(folder, "checkpoint.json"),
  out: join(folder, "findings.jsonl"),
});

export async function run(bridge: FakeBridge, { folder, signal, deps, ...options }: Given): Promise<Ran> {
  const [printed, noted]: [string[], string[]] = [[], []];
  const context: CommandContext = {
    bridge,
    access: { source: ACCESS, destination: ACCESS },
    local: false,
    json: options.json === true,
    signal: signal ?? new AbortController().signal,
    print: (text) => void printed.push(...text.split("\n")),
    note: (text) => void noted.push(text),
  };
  const given = { stack: "dev", prefix: "", grace: 300_000, parallel: 4, concurrency: 16, ...filesIn(folder), ...options };
  const exitCode = await verify(context, given, {
    now: LATER.now,
    sleep: async (_ms, aborted) => aborted.throwIfAborted(),
    random: () => 0.5,
    interactive: false,
    confirm: () => Promise.reject(new Error("this test expects no question")),
    openStore: () => Promise.reject(new Error("no other bucket is read")),
    ...deps,
  });
  return { exitCode, printed, noted };
}

/** The file of findings, by key. */
export async function findingsIn(folder: string): Promise<Finding[]> {
  const text = await readFile(filesIn(folder).out, "utf8");
  const findings = text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Finding]));
  return findings.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** `missing data/1` */
export const kindsIn = async (folder: string): Promise<string[]> =>
  (await findingsIn(folder)).map(({ kind, key, leftAlone }) => `${kind} ${key}${leftAlone ? " (left alone)" : ""}`);
