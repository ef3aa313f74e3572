/** The calls of S3 Control for a job of S3 Batch Operations. */
import {
  CreateJobCommand,
  type CreateJobRequest,
  DescribeJobCommand,
  S3ControlClient,
  UpdateJobStatusCommand,
} from "@aws-sdk/client-s3-control";
import { BridgeError, type BridgeErrorKind } from "../../runtime/stores/errors";
import { s3Errors } from "../../runtime/stores/s3/errors";
import { awsClientOptions } from "../clouds/aws-client";
import type { SideAccess } from "../operated-bridge";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html */
export interface BatchJob {
  status: string;
  totalTasks: number;
  succeededTasks: number;
  failedTasks: number;
  /** Why it failed, was cancelled, or is suspended. */
  reasons: string[];
}

/** Every method rejects with a `BridgeError` that quotes AWS. */
export interface BatchControl {
  /** Resolves to the job's id. A repeated token resolves to the id of the first job. */
  create(request: CreateJobRequest, signal: AbortSignal): Promise<string>;
  /** Rejects with `NotFound` for an unknown job. */
  describe(jobId: string, signal: AbortSignal): Promise<BatchJob>;
  /** Starts a job that waits for its confirmation. */
  confirm(jobId: string, signal: AbortSignal): Promise<void>;
  cancel(jobId: string, reason: string, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** A job must be in the region of its bucket. */
export function openBatchControl(access: SideAccess, accountId: string): BatchControl {
  if (access.cloud === "alicloud") throw new BridgeError("Unsupported", "createJob", "S3 Batch Operations is of AWS alone");
  return createBatchControl(new S3ControlClient(awsClientOptions(access)), accountId);
}

export function createBatchControl(client: S3ControlClient, accountId: string): BatchControl {
  return {
    async create(request, signal) {
      const { JobId } = await send("createJob", signal, () =>
        client.send(new CreateJobCommand(request), { abortSignal: signal }),
      );
      if (JobId === undefined) throw new BridgeError("Unexpected", "createJob", "S3 Control made a job without an id");
      return JobId;
    },
    async describe(jobId, signal) {
      const command = new DescribeJobCommand({ AccountId: accountId, JobId: jobId });
      const { Job } = await send("describeJob", signal, () => client.send(command, { abortSignal: signal }));
      if (Job?.Status === undefined) throw new BridgeError("Unexpected", "describeJob", "S3 Control described no job");
      const { ProgressSummary: progress, FailureReasons = [], StatusUpdateReason, SuspendedCause } = Job;
      const failures = FailureReasons.map(({ FailureCode, FailureReason }) => [FailureCode, FailureReason]);
      const reasons = [...failures.map((parts) => parts.filter(Boolean).join(": ")), StatusUpdateReason, SuspendedCause];
      return {
        status: Job.Status,
        totalTasks: progress?.TotalNumberOfTasks ?? 0,
        succeededTasks: progress?.NumberOfTasksSucceeded ?? 0,
        failedTasks: progress?.NumberOfTasksFailed ?? 0,
        reasons: reasons.filter((reason): reason is string => reason !== undefined && reason !== ""),
      };
    },
    async confirm(jobId, signal) {
      const command = new UpdateJobStatusCommand({ AccountId: accountId, JobId: jobId, RequestedJobStatus: "Ready" });
      await send("confirmJob", signal, () => client.send(command, { abortSignal: signal }));
    },
    async cancel(jobId, reason, signal) {
      const command = new UpdateJobStatusCommand({
        AccountId: accountId,
        JobId: jobId,
        RequestedJobStatus: "Cancelled",
        StatusUpdateReason: reason,
      });
      await send("cancelJob", signal, () => client.send(command, { abortSignal: signal }));
    },
    close: () => client.destroy(),
  };
}

/** Errors that S3 itself never returns. https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_DescribeJob.html */
const KIND_BY_NAME: Readonly<Record<string, BridgeErrorKind>> = {
  InternalServiceException: "Unavailable",
  NoSuchJob: "NotFound",
  NotFoundException: "NotFound",
  TooManyRequestsException: "RateLimited",
};

async function send<T>(op: string, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    signal.throwIfAborted();
    const { name, message } = cause instanceof Error ? cause : { name: "an unknown error", message: "" };
    const kind = KIND_BY_NAME[name] ?? kindOf(op, cause);
    throw new BridgeError(kind, op, `S3 Control answered ${op} with ${name}${message === "" ? "" : `: ${message}`}`, { cause });
  }
}

/** The SDK names an error by S3's code. One without a status is a request without an answer. */
function kindOf(op: string, cause: unknown): BridgeErrorKind {
  const { name, $metadata } = (cause ?? {}) as { name?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  return (status === undefined ? s3Errors.broken(op, cause) : s3Errors.refusal(op, { status, code: name })).kind;
}
