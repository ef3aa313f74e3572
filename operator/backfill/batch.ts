/**
 * The engine `batch`: creates one job of S3 Batch Operations, which replicates the objects that the bucket's own replication has not, and
 * follows it to its end.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-existing-config.html
 */
import { createHash } from "node:crypto";
import type { CreateJobRequest } from "@aws-sdk/client-s3-control";
import { CONTROL_PREFIX } from "../../runtime/protocol/control";
import { isBridgeError } from "../../runtime/stores/errors";
import { type ExitCode, FAILED, FINE, UsageError } from "../command";
import { type RetryDeps, retry } from "../concurrency";
import { grouped } from "../text";
import type { BatchControl, BatchJob } from "./batch-control";
import type { Backfill, BackfillOptions } from "./options";
import type { BackfillReport } from "./report";

export async function runBatch(backfill: Backfill): Promise<ExitCode> {
  const { context, options, deps, checkpoint } = backfill;
  const { bridge, signal, note } = context;
  const roleArn = bridge.outputs.backfillRoleArn;
  if (roleArn === undefined) throw new UsageError("the stack has no output backfillRoleArn");
  const { accountId } = parseRoleArn(roleArn);
  const control = await deps.openControl(context.access.source, accountId);
  let lastLine = "";
  try {
    const jobId = options.job ?? (await createOrResumeJob(backfill, roleArn, control));
    note(`job ${jobId}; if this command is interrupted, follow the job again with --job ${jobId}`);
    const { ended, job } = await followJob(jobId, {
      control,
      signal,
      sleep: deps.sleep,
      random: deps.random,
      confirm: (counted) => confirmJob(backfill, counted),
      onProgress(job) {
        const line = progressLine(job);
        if (line !== lastLine) note(line);
        lastLine = line;
      },
    });
    if (options.job === undefined) await checkpoint.remove();
    return report(backfill, jobId, { ended, job });
  } finally {
    control.close();
  }
}

/** Writes the request's token to the checkpoint first: the same token sent again after a crash returns the same job. */
async function createOrResumeJob(
  { context, options, deps, checkpoint }: Backfill,
  roleArn: string,
  control: BatchControl,
): Promise<string> {
  const { bridge, signal, note } = context;
  const { stack, source } = bridge;
  const { prefix, report } = options;
  const earlier = (await checkpoint.read())?.batch;
  if (earlier?.jobId !== undefined) {
    note(`resuming job ${earlier.jobId} (${checkpoint.path})`);
    return earlier.jobId;
  }
  const startedAt = new Date(deps.now()).toISOString();
  const token = earlier?.token ?? tokenOf({ stack, bucket: source.bucket, prefix, startedAt });
  await checkpoint.write({ batch: { token } });
  const request = createJobRequest({ stack, bucket: source.bucket, prefix, roleArn, report, token });
  const jobId = await retry(() => control.create(request, signal), { sleep: deps.sleep, random: deps.random, signal });
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

const EMPTY = "S3 also fails a job that has no object to replicate; `status` shows whether that is the case";

function report({ context, options, engine }: Backfill, jobId: string, { ended, job }: Followed): ExitCode {
  const { bridge, json, print, note } = context;
  // S3 writes a report only for a job that had tasks.
  const reportUrl = `s3://${bridge.source.bucket}/${REPORT_PREFIX}/job-${jobId}/`;
  const hadTasks = job.succeededTasks + job.failedTasks > 0;
  if (json) {
    const about = { command: "backfill", stack: bridge.stack, prefix: options.prefix, engine, dryRun: false } as const;
    const result: BackfillReport = { ...about, ended, job: { ...job, jobId, report: hadTasks ? reportUrl : undefined } };
    print(JSON.stringify(result));
  } else {
    print(`job ${jobId} ${ended}: ${progressLine(job)}`);
  }
  for (const reason of job.reasons) note(reason);
  if (hadTasks) note(`report: ${reportUrl}`);
  if (ended === "failed" && job.totalTasks === 0) note(EMPTY);
  return ended === "complete" && job.failedTasks === 0 ? FINE : FAILED;
}

export interface FollowDeps extends RetryDeps {
  control: BatchControl;
  /** Called once the job has counted its objects. False cancels the job. */
  confirm(job: BatchJob): Promise<boolean>;
  onProgress(job: BatchJob): void;
}

export type Followed = { ended: "complete" | "failed" | "cancelled" | "declined"; job: BatchJob };

const POLL_INTERVAL_MS = 10_000;
/** S3 Control may not find a new job at once. */
const POLLS_FOR_A_NEW_JOB = 6;

/** Polls the job until it ends. https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html#batch-ops-job-status-table */
export async function followJob(jobId: string, deps: FollowDeps): Promise<Followed> {
  const { control, confirm, onProgress, sleep, signal } = deps;
  let confirmed = false;
  let declined = false;
  let unknown = 0;
  for (;;) {
    const job = await retry(() => describe(), deps);
    if (job !== undefined) {
      onProgress(job);
      if (job.status === "Complete") return { ended: "complete", job };
      if (job.status === "Failed") return { ended: "failed", job };
      if (job.status === "Cancelled") return { ended: declined ? "declined" : "cancelled", job };
      if (job.status === "Suspended" && !confirmed && !declined) {
        confirmed = await confirm(job);
        declined = !confirmed;
        const answer = confirmed
          ? () => control.confirm(jobId, signal)
          : () => control.cancel(jobId, "declined by the operator", signal);
        await retry(answer, deps);
      }
    }
    await sleep(POLL_INTERVAL_MS, signal);
  }

  async function describe(): Promise<BatchJob | undefined> {
    try {
      return await control.describe(jobId, signal);
    } catch (error) {
      unknown += 1;
      if (!isBridgeError(error, "NotFound") || unknown > POLLS_FOR_A_NEW_JOB) throw error;
      return undefined;
    }
  }
}

/** Prefix of the reports in the source bucket: outside of every scope, and the role may write there. */
export const REPORT_PREFIX = `${CONTROL_PREFIX}backfill`;

const REPORT_SCOPES = { all: "AllTasks", failed: "FailedTasksOnly" } as const;

export interface ReplicationJob {
  stack: string;
  bucket: string;
  /** Empty for the whole bucket. */
  prefix: string;
  roleArn: string;
  report: BackfillOptions["report"];
  /** One per backfill: a request that repeats a token creates no second job. */
  token: string;
}

export interface RoleName {
  partition: string;
  accountId: string;
}

/** @throws UsageError if this is not the ARN of a role */
export function parseRoleArn(arn: string): RoleName {
  const [, partition, accountId] = /^arn:([\w-]+):iam::(\d{12}):role\/.+$/.exec(arn) ?? [];
  if (partition === undefined || accountId === undefined)
    throw new UsageError(`the output backfillRoleArn is no ARN of an IAM role: ${arn}`);
  return { partition, accountId };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html */
export function createJobRequest({ stack, bucket, prefix, roleArn, report, token }: ReplicationJob): CreateJobRequest {
  const { partition, accountId } = parseRoleArn(roleArn);
  const bucketArn = `arn:${partition}:s3:::${bucket}`;
  return {
    AccountId: accountId,
    ClientRequestToken: token,
    // The job counts its objects, then waits for a confirmation.
    ConfirmationRequired: true,
    Description: description(stack, prefix),
    Operation: { S3ReplicateObject: {} },
    Priority: 1,
    RoleArn: roleArn,
    ManifestGenerator: {
      S3JobManifestGenerator: {
        ExpectedBucketOwner: accountId,
        SourceBucket: bucketArn,
        EnableManifestOutput: false,
        Filter: {
          EligibleForReplication: true,
          ObjectReplicationStatuses: ["NONE", "FAILED"],
          ...(prefix === "" ? {} : { KeyNameConstraint: { MatchAnyPrefix: [prefix] } }),
        },
      },
    },
    Report: {
      Bucket: bucketArn,
      ExpectedBucketOwner: accountId,
      Enabled: true,
      Format: "Report_CSV_20180820",
      Prefix: REPORT_PREFIX,
      ReportScope: REPORT_SCOPES[report],
    },
  };
}

const MAX_DESCRIPTION = 256;

const description = (stack: string, prefix: string): string =>
  `CrossBorderBridge backfill of ${stack}${prefix === "" ? "" : `, prefix ${prefix}`}`.slice(0, MAX_DESCRIPTION);

/** Derived from the backfill alone, so that a restart gets the same token: 64 hex digits, the most that a token may have. */
export function tokenOf(parts: { stack: string; bucket: string; prefix: string; startedAt: string }): string {
  const { stack, bucket, prefix, startedAt } = parts;
  return createHash("sha256")
    .update(JSON.stringify([stack, bucket, prefix, startedAt]))
    .digest("hex");
}
