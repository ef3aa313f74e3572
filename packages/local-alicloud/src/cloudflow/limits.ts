/** The default limits of CloudFlow. https://www.alibabacloud.com/help/en/serverless-workflow/latest/limits */

/** https://www.alibabacloud.com/help/en/serverless-workflow/latest/call-method */
export const CLOUDFLOW_REGIONS: readonly string[] = [
  "cn-beijing",
  "cn-hangzhou",
  "cn-qingdao",
  "cn-shanghai",
  "cn-shenzhen",
  "ap-southeast-1",
  "us-west-1",
];

/** The name of a flow or an execution. */
export const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/;
/** Events of one execution. */
export const MAX_EVENTS = 5_000;
/** Size of one input or output. */
export const MAX_DATA_BYTES = 64 * 1024;
/** Executions that run at the same time. */
export const MAX_RUNNING = 10_000;
/** The longest `Seconds` of a Wait in standard mode. */
export const MAX_WAIT_SECONDS = 300;
export const MAX_RETRY_INTERVAL_SECONDS = 86_400;
/** The limit of the cause in ReportTaskFailed. Longer causes are cut. */
export const MAX_DETAIL_CHARACTERS = 4_096;

/** A token bucket: `burst` calls at once, `perSecond` after that. */
export interface Rate {
  burst: number;
  perSecond: number;
}

export const RATES: Readonly<Record<string, Rate>> = {
  StartExecution: { burst: 100, perSecond: 100 },
  DescribeExecution: { burst: 50, perSecond: 5 },
  GetExecutionHistory: { burst: 50, perSecond: 5 },
};
/** The rate of each other operation. */
export const OTHER_RATE: Rate = { burst: 10, perSecond: 2 };

export class TokenBucket {
  private tokens: number;
  private refilledAt: number;

  constructor(
    private readonly rate: Rate,
    private readonly now: () => number,
  ) {
    this.tokens = rate.burst;
    this.refilledAt = now();
  }

  /** False when the call exceeds the rate. */
  take(): boolean {
    const now = this.now();
    const refill = ((now - this.refilledAt) / 1000) * this.rate.perSecond;
    this.tokens = Math.min(this.rate.burst, this.tokens + Math.max(0, refill));
    this.refilledAt = now;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
