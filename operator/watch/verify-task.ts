/** `verify` as a task of the page: the whole comparison, with its first differences. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseJson } from "../../runtime/protocol/json";
import type { CommandContext } from "../command";
import type { OperatedBridge } from "../operated-bridge";
import type { Finding } from "../verify/findings";
import type { VerifyReport } from "../verify/report";
import { systemDeps, verify } from "../verify/verify";
import type { TaskContext, TaskInput } from "./tasks";

/** Differences that the page lists. */
const LISTED = 100;
const GRACE_MS = 5 * 60_000;

export interface Verified extends Pick<VerifyReport, "prefix" | "counts" | "faults"> {
  bytes: boolean;
  listed: Finding[];
}

export interface VerifyTaskDeps {
  bridge: OperatedBridge;
  access: CommandContext["access"];
  local: boolean;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Keeps its files apart from those of the command, and removes them: a cancelled comparison begins anew. */
export async function verifySides(
  { bridge, access, local, now }: VerifyTaskDeps,
  { signal, report }: TaskContext,
  { prefix = "", bytes = false }: TaskInput,
): Promise<Verified> {
  const folder = await mkdtemp(join(tmpdir(), "bridge-verify-"));
  const listed: Finding[] = [];
  let summary: VerifyReport | undefined;
  const context: CommandContext = {
    ...{ bridge, access, local, signal, json: true },
    // With JSON each line is a difference, and the last one is the summary.
    print(text) {
      const line = parseJson(text) as Finding | VerifyReport;
      if ("command" in line) summary = line;
      else if (listed.length < LISTED) listed.push(line);
    },
    note: () => undefined,
  };
  const files = { checkpoint: join(folder, "checkpoint.json"), out: join(folder, "differences.jsonl") };
  const options = {
    prefix,
    grace: GRACE_MS,
    parallel: 12,
    concurrency: 32,
    ...files,
    ...(bytes ? { bytes: true as const } : {}),
  };
  try {
    await verify(context, options, { ...systemDeps(), now, onCompared: (done) => report({ done }) });
    if (summary === undefined) throw new Error("the comparison ended without a summary");
    const { counts, faults } = summary;
    return { prefix, bytes, counts, faults, listed };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
