/**
 * Calls of Alibaba Cloud's control APIs, signed here. The vendor's client would be half of a bundle.
 * https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
 */
import { createHmac, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { createAgent } from "../../http/agent";
import { exchange } from "../../http/exchange";
import { canonicalQuery, sha256Hex } from "../../http/sigv4";
import { parseJson, textAt } from "../../protocol/json";
import { type Clock, type Random, systemClock, systemRandom } from "../../protocol/ports";
import type { OssCredentials } from "../../stores/oss/credentials";
import type { OriginOf } from "./endpoints";
import { controlError, retryControl } from "./errors";
import type { OwnCredentials } from "./handler";

export interface ControlCall {
  /** The HTTP method. @default "POST" */
  method?: "GET" | "POST" | "PUT";
  /** The name of the operation in a BridgeError. */
  op: string;
  /** The beginning of the error's message when the call fails. */
  what: string;
  action: string;
  /** The version of the API, a date. */
  version: string;
  /** The parameters of an RPC call, in the query. */
  query?: Record<string, string>;
  /** The parameters of an RPC call, as a form. */
  form?: Record<string, string>;
  /** The request of a call in ROA style. */
  roa?: { pathname: string; headers: Record<string, string>; body: Buffer };
  /** Disables retries: a call without an answer may have done its work. */
  once?: true;
}

export interface ControlAnswer {
  status: number;
  /** Parsed JSON; undefined for an answer that is not JSON. */
  body: unknown;
}

export interface ControlApi {
  /** Sends the call, and retries it when a retry is safe and can help. Rejects with a `ControlError`. */
  call(call: ControlCall): Promise<ControlAnswer>;
}

export interface ControlApiOptions {
  /** The vendor's host name, e.g. `fcv3.cn-shanghai.aliyuncs.com`. */
  host: string;
  originOf: OriginOf;
  credentials: Pick<OwnCredentials, "current">;
  /** @default connections that are closed after each call */
  dispatcher?: Dispatcher | undefined;
  /** PEM of a certificate to trust where no dispatcher is given. @default the system's */
  ca?: string | undefined;
  clock?: Pick<Clock, "now" | "after"> | undefined;
  /** The time limit of one try, from connecting to the end of the answer. @default 10_000 */
  timeoutMs?: number;
  random?: Random;
  sleep?(ms: number): Promise<void>;
}

export function createControlApi(options: ControlApiOptions): ControlApi {
  const { originOf, host, credentials, ca, timeoutMs = 10_000, clock = systemClock } = options;
  const { random = systemRandom, sleep = async (ms) => void (await delay(ms)) } = options;
  const { dispatcher = createAgent({ ca, keepAliveMs: 1 }) } = options;
  const origin = originOf(host);

  async function once(call: ControlCall): Promise<ControlAnswer> {
    const { op, what } = call;
    const { path, query, ...request } = requestOf(call, new URL(origin).host);
    const headers = signControlRequest({ ...request, path, query }, credentials.current(), clock.now());
    const answer = await exchange(dispatcher, {
      ...{ origin, path: query === "" ? path : `${path}?${query}`, method: request.method, headers, body: request.body },
      // One limit for the whole call, as a called function may take long to answer.
      ...{ answerTimeoutMs: 0, bodyIdleMs: 0, signal: clock.after(timeoutMs) },
    }).catch((cause: unknown) => {
      throw controlError(op, what, {}, cause);
    });
    const { status } = answer;
    const body = parseJson(answer.body.toString("utf8"));
    if (status < 400) return { status, body };
    const code = textAt(body, "Code") ?? textAt(body, "code");
    throw controlError(op, what, { status, code, requestId: textAt(body, "RequestId") ?? textAt(body, "requestId") });
  }

  return { call: (call) => (call.once ? once(call) : retryControl(() => once(call), { random, sleep })) };
}

export interface ControlRequest {
  method: "GET" | "POST" | "PUT";
  /** Encoded. */
  path: string;
  /** Encoded and sorted by name. */
  query: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}

function requestOf({ action, version, method = "POST", query = {}, form, roa }: ControlCall, host: string): ControlRequest {
  const type = roa === undefined ? form && "application/x-www-form-urlencoded" : "application/octet-stream";
  return {
    method,
    path: roa?.pathname ?? "/",
    query: canonicalQuery(query),
    headers: {
      ...{ accept: "application/json", host, "x-acs-action": action, "x-acs-version": version },
      ...(type === undefined ? {} : { "content-type": type }),
      ...roa?.headers,
    },
    body: roa?.body ?? Buffer.from(form === undefined ? "" : canonicalQuery(form)),
  };
}

const ALGORITHM = "ACS3-HMAC-SHA256";

/** @returns the headers to send: the given ones and those of the signature */
export function signControlRequest(
  { method, path, query, headers: given, body }: ControlRequest,
  { accessKeyId, accessKeySecret, securityToken }: OssCredentials,
  nowMs: number,
): Record<string, string> {
  const payloadHash = sha256Hex(body);
  const headers: Record<string, string> = {
    ...given,
    "x-acs-content-sha256": payloadHash,
    "x-acs-date": new Date(nowMs).toISOString().replace(/\.\d+/, ""),
    "x-acs-signature-nonce": randomUUID(),
    ...(securityToken ? { "x-acs-accesskey-id": accessKeyId, "x-acs-security-token": securityToken } : {}),
  };
  const names = Object.keys(headers)
    .filter((name) => name === "host" || name === "content-type" || name.startsWith("x-acs-"))
    .sort();
  const lines = names.map((name) => `${name}:${headers[name]?.trim()}\n`).join("");
  const canonical = [method, path, query, lines, names.join(";"), payloadHash].join("\n");
  const signature = createHmac("sha256", accessKeySecret)
    .update(`${ALGORITHM}\n${sha256Hex(canonical)}`)
    .digest("hex");
  headers.authorization = `${ALGORITHM} Credential=${accessKeyId},SignedHeaders=${names.join(";")},Signature=${signature}`;
  return headers;
}
