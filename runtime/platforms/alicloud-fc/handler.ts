/**
 * The handler that Function Compute calls, and the credentials that come with each call.
 * https://www.alibabacloud.com/help/en/functioncompute/event-handlers-of-nodejs
 */
import type { Clock, Deadline } from "../../protocol/ports";
import { BridgeError } from "../../stores/errors";
import type { FlushableMetrics } from "../handlers";

export interface FunctionCredentials {
  accessKeyId: string;
  accessKeySecret: string;
  securityToken: string;
}

/** The part of the context that is used. https://www.alibabacloud.com/help/en/functioncompute/context-1-1 */
export interface FunctionContext {
  /** Absent where the function has no role. */
  credentials?: Partial<FunctionCredentials>;
  function: {
    /** Seconds. */
    timeout: number;
  };
  /** How often an asynchronous event was delivered before. Only a custom runtime is told. */
  retryCount?: number | undefined;
}

export type FunctionHandler<T> = (event: Buffer, context: FunctionContext) => Promise<T>;

export interface HandlerDeps {
  clock: Pick<Clock, "now">;
  credentials: Pick<OwnCredentials, "renew">;
  metrics: Pick<FlushableMetrics, "flush">;
}

/**
 * Wraps the work of a role. The context has no remaining time, so it is counted from the beginning of the invocation. Metrics are
 * written at the end of each invocation.
 * @param work receives the event as text. Its result is the function's answer. If it rejects, the platform delivers an asynchronous
 * event again.
 */
export function createHandler<T>(
  { clock, credentials, metrics }: HandlerDeps,
  work: (event: string, deadline: Deadline, delivery: { isRepeat: boolean }) => Promise<T>,
): FunctionHandler<T> {
  return async (event, context) => {
    const endMs = clock.now() + context.function.timeout * 1000;
    credentials.renew(context.credentials);
    try {
      const deadline = { remainingMs: () => endMs - clock.now() };
      return await work(event.toString("utf8"), deadline, { isRepeat: (context.retryCount ?? 0) > 0 });
    } finally {
      metrics.flush();
    }
  };
}

export interface OwnCredentials {
  /** Takes the credentials of an invocation's context. */
  renew(credentials: Partial<FunctionCredentials> | undefined): void;
  /** @throws BridgeError `PermissionDenied` when the function has no role. */
  current(): FunctionCredentials;
}

/**
 * The function's own credentials. Every invocation brings new ones, valid for 36 hours, longer than any invocation. Clients are created
 * once and ask for the newest before each request.
 */
export function createOwnCredentials(): OwnCredentials {
  let newest: FunctionCredentials | undefined;
  return {
    renew({ accessKeyId, accessKeySecret, securityToken } = {}) {
      if (accessKeyId && accessKeySecret && securityToken) newest = { accessKeyId, accessKeySecret, securityToken };
    },
    current() {
      if (newest === undefined)
        throw new BridgeError("PermissionDenied", "credentials", "the function has no credentials: give it a role");
      return newest;
    },
  };
}
