/** Calls of Alibaba Cloud's control APIs, signed by the vendor's own client. */
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import Client, { $OpenApiUtil } from "@alicloud/openapi-core";
import { parseJson } from "../../protocol/json";
import { systemRandom } from "../../protocol/ports";
import type { OwnCredentials } from "./credentials";
import type { OriginOf } from "./endpoints";
import { controlError } from "./errors";
import { patiently, type RetryOptions } from "./retry";

export interface ControlCall {
  /** As the vendor's own client sends it. @default "POST" */
  method?: "GET" | "POST";
  /** The operation, as a BridgeError has it. */
  op: string;
  /** What fails when this call fails, in words. */
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
  /** Its answer lost, it may have done its work: never made twice. */
  once?: true;
}

export interface ControlAnswer {
  status: number;
  /** What JSON.parse made of it; undefined where there is none. */
  body: unknown;
}

export interface ControlApi {
  /** Rejects with a `ControlError`, after having tried again what can be and may be. */
  call(call: ControlCall): Promise<ControlAnswer>;
}

export interface ControlApiOptions extends Partial<RetryOptions> {
  /** The vendor's, e.g. `fcv3.cn-shanghai.aliyuncs.com`. */
  host: string;
  originOf: OriginOf;
  credentials: Pick<OwnCredentials, "current">;
  /** PEM of a certificate to trust. @default the system's */
  ca?: string;
  /** Of one try, from connecting to the end of the answer. @default 10_000 */
  timeoutMs?: number;
}

export function createControlApi(options: ControlApiOptions): ControlApi {
  const { originOf, host, credentials, ca, timeoutMs = 10_000 } = options;
  const { random = systemRandom, sleep = async (ms) => void (await delay(ms)) } = options;
  const endpoint = new URL(originOf(host)).host;

  async function once(call: ControlCall): Promise<ControlAnswer> {
    // The client keeps no connection of its own, so one for each call costs nothing.
    const client = new Client(
      new $OpenApiUtil.Config({
        ...credentials.current(),
        endpoint,
        protocol: "https",
        // The client ends connections that are silent for so long, those too whose function is still at work.
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

  return { call: (call) => (call.once ? once(call) : patiently(() => once(call), { random, sleep })) };
}

/** Everything there is to set is set on the client. */
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
    // Not "json": a synchronous or empty answer need not be any.
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
  const told = (value: unknown) => (typeof value === "string" && value !== "undefined" ? value : undefined);
  return controlError(op, what, { status: statusCode, code: told(code), requestId: told(requestId) });
}

/** The client limits the waiting for each piece of an answer, not for the whole of it. */
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
