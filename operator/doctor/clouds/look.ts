/** An unsigned look at an endpoint: whether it answers, and what its clock says. */
import { createAgent } from "../../../runtime/http/agent";
import { type AnswerHeaders, exchange } from "../../../runtime/http/exchange";

const ANSWER_TIMEOUT_MS = 10_000;

export interface EndpointAnswer {
  status: number;
  headers: AnswerHeaders;
  body: string;
  /** How far the other clock is ahead of this one, in whole seconds. Undefined without a date. */
  aheadMs: number | undefined;
}

export interface LookOptions {
  method?: "GET" | "POST";
  /** @default `/` */
  path?: string;
  ca: string | undefined;
  now(): number;
  signal: AbortSignal;
}

/** Rejects with the error of the connection. Every answer is a success. */
export async function lookAt(
  origin: string,
  { method = "GET", path = "/", ca, now, signal }: LookOptions,
): Promise<EndpointAnswer> {
  const agent = createAgent({ ca, keepAliveMs: 1 });
  try {
    const askedMs = now();
    const { status, headers, body } = await exchange(agent, {
      ...{ origin, path, method, headers: { accept: "*/*" }, signal },
      ...(method === "POST" ? { body: Buffer.alloc(0) } : {}),
      ...{ answerTimeoutMs: ANSWER_TIMEOUT_MS, bodyIdleMs: ANSWER_TIMEOUT_MS },
    });
    const theirsMs = Date.parse(headers.date ?? "");
    const middleMs = (askedMs + now()) / 2;
    return {
      ...{ status, headers, body: body.toString("utf8") },
      aheadMs: Number.isNaN(theirsMs) ? undefined : theirsMs - middleMs,
    };
  } finally {
    await agent.destroy();
  }
}

const TLS =
  /^(?:CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)/;

/** What kept the endpoint from answering: its name, the connection, or its certificate. */
export function connectionFailure(error: unknown): { kind: "name" | "certificate" | "connection"; code: string } {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code !== "string") continue;
    if (code === "ENOTFOUND" || code === "EAI_AGAIN") return { kind: "name", code };
    return { kind: TLS.test(code) ? "certificate" : "connection", code };
  }
  return { kind: "connection", code: error instanceof Error ? error.message : String(error) };
}
