import { setTimeout as wait } from "node:timers/promises";
import { ApiError } from "../contracts";
import type { DeployedFunction } from "./deployed-function";
import { type AsyncResult, envelopeOf, parseDestination } from "./destination";
import { DEFAULT_EVENT_AGE_SECONDS } from "./function-rules";
import type { ErrorType } from "./instance";

/** https://www.alibabacloud.com/help/en/fc/user-guide/retry-policy */
const DEFAULT_RETRIES = 3;

export interface AsyncInvocationsOptions {
  accountId: string;
  now: () => number;
  retryBaseMs: number;
  send: (region: string, queueName: string, body: Buffer) => void;
  onFailure: (error: unknown) => void;
}

interface Queued {
  requestId: string;
  payload: Buffer;
  enqueuedAt: number;
}

/** Runs accepted invocations until they succeed or their retries are used up, and sends the result to its destination. */
export class AsyncInvocations {
  private readonly stopping = new AbortController();

  constructor(private readonly options: AsyncInvocationsOptions) {}

  /** Resolves when the invocation is finished. Never rejects. */
  async run(deployed: DeployedFunction, requestId: string, payload: Buffer): Promise<void> {
    const queued = { requestId, payload, enqueuedAt: this.options.now() };
    try {
      const result = await this.untilDone(deployed, queued);
      if (result !== undefined) this.report(deployed, result);
    } catch (error) {
      if (!this.endingOf(deployed).aborted) this.fail(deployed, requestId, error);
    }
  }

  /** Drops invocations that wait for a retry. */
  stop(): void {
    this.stopping.abort();
  }

  private endingOf(deployed: DeployedFunction): AbortSignal {
    return AbortSignal.any([this.stopping.signal, deployed.removed]);
  }

  /** Undefined when the function was deleted or the service stopped. */
  private async untilDone(deployed: DeployedFunction, queued: Queued): Promise<AsyncResult | undefined> {
    const { requestId, payload } = queued;
    const signal = this.endingOf(deployed);
    const result: AsyncResult = { requestId, functionArn: deployed.arn, invokeCount: 0, requestPayload: payload };
    for (;;) {
      const outcome = await this.attempt(deployed, queued, result.invokeCount);
      if (signal.aborted) return undefined;
      if (outcome === undefined) return { ...result, errorType: "EventAgeExceeded" };
      result.invokeCount += 1;
      result.responsePayload = outcome.payload;
      if (outcome.errorType === undefined) {
        delete result.errorType;
        return result;
      }
      result.errorType = outcome.errorType;
      if (result.invokeCount > (deployed.asyncConfig?.maxAsyncRetryAttempts ?? DEFAULT_RETRIES)) return result;
      await wait(this.options.retryBaseMs * 2 ** (result.invokeCount - 1), undefined, { signal });
    }
  }

  /** Undefined when the event became too old before it could run. */
  private async attempt(
    deployed: DeployedFunction,
    { requestId, payload, enqueuedAt }: Queued,
    retryCount: number,
  ): Promise<{ payload: Buffer; errorType?: ErrorType } | undefined> {
    const maxAgeMs = (deployed.asyncConfig?.maxAsyncEventAgeInSeconds ?? DEFAULT_EVENT_AGE_SECONDS) * 1000;
    const tooOld = () => this.options.now() - enqueuedAt > maxAgeMs;
    try {
      return await deployed.run("async", { requestId, payload, retryCount, abandon: tooOld });
    } catch (error) {
      // For example, the role cannot be assumed. That is a failed attempt.
      if (!(error instanceof ApiError)) throw error;
      const payload = Buffer.from(JSON.stringify({ errorMessage: error.message, errorType: error.code }));
      return { payload, errorType: "UnhandledInvocationError" };
    }
  }

  private report(deployed: DeployedFunction, result: AsyncResult): void {
    const { onFailure, onSuccess } = deployed.asyncConfig ?? {};
    const arn = result.errorType === undefined ? onSuccess : onFailure;
    if (arn === undefined) return;
    const { region, queueName, resource } = parseDestination(arn, this.options.accountId);
    deployed.permitDestination(resource);
    this.options.send(region, queueName, envelopeOf(result, this.options.now()));
  }

  /** Reports that the result is lost, in the log of the function and to `onFailure`. The real service loses it as well. */
  private fail(deployed: DeployedFunction, requestId: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    deployed.log.push(`FC Destination Error RequestId: ${requestId}: ${reason}`);
    this.options.onFailure(new Error(`${deployed.arn}: the result of ${requestId} is lost: ${reason}`, { cause: error }));
  }
}
