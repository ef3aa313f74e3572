/** From no job to the end of one, over as many interruptions as there are. */
import { isBridgeError } from "../../../runtime/stores/errors";
import { type RetryDeps, retrying } from "../retrying";
import type { BatchControl, BatchJob } from "./control";

export interface FollowDeps extends RetryDeps {
  control: BatchControl;
  /** Asked once the job has counted its objects; false cancels it. */
  confirm(job: BatchJob): Promise<boolean>;
  onProgress(job: BatchJob): void;
}

export type Followed = { ended: "complete" | "failed" | "cancelled" | "declined"; job: BatchJob };

const LOOK_EVERY_MS = 10_000;
/** A job that was made a moment ago may not be known everywhere yet. */
const LOOKS_FOR_A_NEW_JOB = 6;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html#batch-ops-job-status-table */
export async function followJob(jobId: string, deps: FollowDeps): Promise<Followed> {
  const { control, confirm, onProgress, sleep, signal } = deps;
  let confirmed = false;
  let declined = false;
  let unknown = 0;
  for (;;) {
    const job = await retrying(() => describe(), deps);
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
        await retrying(answer, deps);
      }
    }
    await sleep(LOOK_EVERY_MS, signal);
  }

  async function describe(): Promise<BatchJob | undefined> {
    try {
      return await control.describe(jobId, signal);
    } catch (error) {
      unknown += 1;
      if (!isBridgeError(error, "NotFound") || unknown > LOOKS_FOR_A_NEW_JOB) throw error;
      return undefined;
    }
  }
}
