/** Requests of a stranger, and of somebody who has a URL: without any credentials. The answer is returned whatever its status is. */
import type { Dispatcher } from "undici";
import { exchange, type WholeAnswer, type WireRequest } from "../runtime/http/exchange";
import { codeIn } from "../runtime/stores/refusals";

export interface RawAnswer extends WholeAnswer {
  /** The code of an error document. */
  code: string | undefined;
}

const TIMEOUT_MS = 30_000;

export async function request(
  dispatcher: Dispatcher,
  url: string,
  options: Partial<Pick<WireRequest, "method" | "headers" | "body" | "signal">> = {},
): Promise<RawAnswer> {
  const { origin } = new URL(url);
  const { method = "GET", headers = {}, body, signal } = options;
  const answer = await exchange(dispatcher, {
    origin,
    method,
    // Not `pathname`, which would resolve the dots of a key.
    path: url.slice(origin.length) || "/",
    headers: { ...headers },
    body,
    signal,
    answerTimeoutMs: TIMEOUT_MS,
    bodyIdleMs: TIMEOUT_MS,
  });
  return { ...answer, code: codeIn(answer.body) };
}

/** `400 ApkDownloadForbidden` */
export const answerText = ({ status, code }: RawAnswer): string =>
  code === undefined ? `HTTP ${status}` : `HTTP ${status} ${code}`;

/** The address in a URL, without its signature. */
export const withoutQuery = (url: string): string => url.split("?", 1)[0] ?? url;
