/** Calls of Alibaba Cloud's control APIs, signed by the vendor's own client. */
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import Client, { $OpenApiUtil } from "@alicloud/openapi-core";
import { parseJson } from "../../protocol/json";
import { type Random, systemRandom } from "../../protocol/ports";
import type { OriginOf } from "./endpoints";
import { controlError, retryControl } from "./errors";
import type { OwnCredentials } from "./handler";

export interface ControlCall {
  /** As the vendor's own client sends it. @default "POST" */
  method?: "GET" | "POST";
  /** The operation, for the BridgeError. */
  op: string;
  /** The message of its failure. */
  what: string;
  action: string;
  /** Of the API, a date. */
  version: string;
  /** RPC style, by the query. */
  query?: Record<string, string>;
  /** RPC style, as a form. */
  form?: Record<string, string>;
  /** ROA style. */
  roa?: { pathname: string; headers: Record<string, string>; body: Buffer };
  /** Never repeated: a call without an answer may have done its work. */
  once?: true;
}

export interface ControlAnswer {
  status: number;
  /** Parsed JSON; undefined where the answer is none. */
  body: unknown;
}

export interface ControlApi {
  /** Rejects with a `ControlError`, after retries where they are safe and can help. */
  call(call: ControlCall): Promise<ControlAnswer>;
}

export interface ControlApiOptions {
  /** The vendor's, e.g. `fcv3.cn-shanghai.aliyuncs.com`. */
  host: string;
  originOf: OriginOf;
  credentials: Pick<OwnCredentials, "current">;
  /** PEM of a certificate to trust. @default the system's */
  ca?: string | undefined;
  /** Of one try, from connecting to the end of the answer. @default 10_000 */
  timeoutMs?: number;
  random?: Random;
  sleep?(ms: number): Promise<void>;
}

export function createControlApi(options: ControlApiOptions): ControlApi {
  const { originOf, host, credentials, ca, timeoutMs = 10_000 } = options;
  const { random = systemRandom, sleep = async (ms) => void (await delay(ms)) } = options;
  const endpoint = new URL(originOf(host)).host;

  async function once(call: ControlCall): Promise<ControlAnswer> {
    // The client keeps no connections, so a new client for each call costs nothing.
    const client = new Client(
      new $OpenApiUtil.Config({
        ...credentials.current(),
        endpoint,
        protocol: "https",
        // The client ends connections that are silent for this long, also while the called function still runs.
        connectTimeout: timeoutMs,
        readTimeout: timeoutMs,
        ...(ca === undefined ? {} : { ca }),
      }),
    );
    try {
      const answer = await within(timeoutMs, client.callApi(paramsOf(call), requestOf(call), NO_OPTIONS));
      return { status: Number(answer.statusCode), body: parseJson(String(answer.body ?? "")) };
    } catch (error) {
      throw failureOf(call, error);
    }
  }

  return { call: (call) => (call.once ? once(call) : retryControl(() => once(call), { random, sleep })) };
}

/** All options are set on the client. */
const NO_OPTIONS = {} as Parameters<Client["callApi"]>[2];

function paramsOf({ action, version, form, roa, method = "POST" }: ControlCall): $OpenApiUtil.Params {
  return new $OpenApiUtil.Params({
    action,
    version,
    protocol: "HTTPS",
    method,
    authType: "AK",
    style: roa === undefined ? "RPC" : "ROA",
    pathname: roa?.pathname ?? "/",
    reqBodyType: form === undefined ? "json" : "formData",
    // Not "json": the answer of a synchronous call can be empty or another format.
    bodyType: "string",
  });
}

function requestOf({ query, form, roa }: ControlCall): $OpenApiUtil.OpenApiRequest {
  return new $OpenApiUtil.OpenApiRequest({
    ...(query === undefined ? {} : { query }),
    ...(form === undefined ? {} : { body: form }),
    ...(roa === undefined ? {} : { headers: roa.headers, stream: Readable.from([roa.body]) }),
  });
}

function failureOf({ op, what }: ControlCall, error: unknown): Error {
  const { statusCode, code, requestId } = error as { statusCode?: unknown; code?: unknown; requestId?: unknown };
  // Without a status there was no answer, or a broken one; the code then is Node's.
  if (typeof statusCode !== "number") return controlError(op, what, {}, error);
  const text = (value: unknown) => (typeof value === "string" && value !== "undefined" ? value : undefined);
  return controlError(op, what, { status: statusCode, code: text(code), requestId: text(requestId) });
}

/** Limits the whole call: the client limits only the wait for each piece of the answer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
