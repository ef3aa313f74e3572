/** What Function Compute calls. https://www.alibabacloud.com/help/en/functioncompute/event-handlers-of-nodejs */
import type { Clock } from "../../protocol/ports";
import type { FunctionCredentials, OwnCredentials } from "./credentials";

/** The part of the context that is used. https://www.alibabacloud.com/help/en/functioncompute/context-1-1 */
export interface FunctionContext {
  /** Absent where the function has no role. */
  credentials?: Partial<FunctionCredentials>;
  function: {
    /** Seconds. */
    timeout: number;
  };
}

export interface Invocation {
  /** The event to the letter. */
  text: string;
  /** Time until the platform ends this invocation. The context does not tell it, so it is counted from the beginning. */
  remainingMs(): number;
}

export type FunctionHandler<T> = (event: Buffer, context: FunctionContext) => Promise<T>;

/** @param work its result is the function's answer; what it throws makes an asynchronous invocation come back */
export function createHandler<T>(
  { clock, credentials }: { clock: Pick<Clock, "now">; credentials: Pick<OwnCredentials, "renew"> },
  work: (invocation: Invocation) => Promise<T>,
): FunctionHandler<T> {
  return async (event, context) => {
    const endMs = clock.now() + context.function.timeout * 1000;
    credentials.renew(context.credentials);
    return await work({ text: event.toString("utf8"), remainingMs: () => endMs - clock.now() });
  };
}
