/** The engine `batch`: one job of S3 Batch Operations, made once and followed to its end. */
import { type ExitCode, FAILED, FINE, UsageError } from "../command";
import { grouped } from "../text";
import type { Backfill } from "./backfill";
import type { BatchControl, BatchJob } from "./batch/control";
import { type Followed, followJob } from "./batch/follow";
import { createJobRequest, parseRoleArn, REPORT_PREFIX, tokenOf } from "./batch/job";
import type { BackfillReport } from "./report";
import { retrying } from "./retrying";

export async function runBatch(backfill: Backfill): Promise<ExitCode> {
  const { context, options, deps, checkpoint } = backfill;
  const { bridge, signal, note } = context;
  const roleArn = bridge.outputs.backfillRoleArn;
  if (roleArn === undefined) throw new UsageError("the stack has no output backfillRoleArn");
  const { accountId } = parseRoleArn(roleArn);
  const control = await deps.openControl(context.access.source, accountId);
  const told = { last: "" };
  try {
    const jobId = options.job ?? (await makeJob(backfill, roleArn, control));
    note(`job ${jobId}; should this command be interrupted, go on watching it with --job ${jobId}`);
    const { ended, job } = await followJob(jobId, {
      control,
      signal,
      sleep: deps.sleep,
      random: deps.random,
      confirm: (counted) => confirmJob(backfill, counted),
      onProgress(job) {
        const line = progressLine(job);
        if (line !== told.last) note(line);
        told.last = line;
      },
    });
    if (options.job === undefined) await checkpoint.remove();
    return tell(backfill, jobId, { ended, job });
  } finally {
    control.close();
  }
}

/** Writes down what it is about to ask for, so that asking again after a crash gets the very same job. */
async function makeJob(
  { context, options, deps, checkpoint }: Backfill,
  roleArn: string,
  control: BatchControl,
): Promise<string> {
  const { bridge, signal, note } = context;
  const { stack, source } = bridge;
  const { prefix, report } = options;
  const earlier = (await checkpoint.read())?.batch;
  if (earlier?.jobId !== undefined) {
    note(`going on with job ${earlier.jobId} (${checkpoint.path})`);
    return earlier.jobId;
  }
  const startedAt = new Date(deps.now()).toISOString();
  const token = earlier?.token ?? tokenOf({ stack, bucket: source.bucket, prefix, startedAt });
  await checkpoint.write({ batch: { token } });
  const request = createJobRequest({ stack, bucket: source.bucket, prefix, roleArn, report, token });
  const jobId = await retrying(() => control.create(request, signal), { sleep: deps.sleep, random: deps.random, signal });
  await checkpoint.write({ batch: { token, jobId } });
  return jobId;
}

async function confirmJob({ context, options, deps }: Backfill, { totalTasks }: BatchJob): Promise<boolean> {
  if (options.yes) return true;
  const price = deps.prices[context.bridge.source.cloud].batchObject;
  const cost =
    price === undefined
      ? ""
      : `, about ${price.currency} ${((totalTasks / price.per) * price.amount).toFixed(2)} besides their transfer`;
  return deps.confirm(`The job would replicate ${grouped(totalTasks)} object versions${cost}. Run it?`, context.signal);
}

function progressLine({ status, totalTasks, succeededTasks, failedTasks }: BatchJob): string {
  const done = `${grouped(succeededTasks)} of ${grouped(totalTasks)} done`;
  return `${status.toLowerCase()}: ${done}, ${grouped(failedTasks)} failed`;
}

const EMPTY = "S3 may also fail a job because no object was left for it: `status` tells whether that is so";

function tell({ context, options, engine }: Backfill, jobId: string, { ended, job }: Followed): ExitCode {
  const { bridge, json, print, note } = context;
  // S3 writes a report only where there was something to do.
  const report = `s3://${bridge.source.bucket}/${REPORT_PREFIX}/job-${jobId}/`;
  const worked = job.succeededTasks + job.failedTasks > 0;
  if (json) {
    const about = { command: "backfill", stack: bridge.stack, prefix: options.prefix, engine, dryRun: false } as const;
    const told: BackfillReport = { ...about, ended, job: { ...job, jobId, ...(worked ? { report } : {}) } };
    print(JSON.stringify(told));
  } else {
    print(`job ${jobId} ${ended}: ${progressLine(job)}`);
  }
  for (const reason of job.reasons) note(reason);
  if (worked) note(`report: ${report}`);
  if (ended === "failed" && job.totalTasks === 0) note(EMPTY);
  return ended === "complete" && job.failedTasks === 0 ? FINE : FAILED;
}
