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
  /** The HTTP method. @default "POST" */
  method?: "GET" | "POST";
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
  /** PEM of a certificate to trust. @default the system's */
  ca?: string | undefined;
  /** The time limit of one try, from connecting to the end of the answer. @default 10_000 */
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
        // The client closes a connection that is silent for this long, even while the called function still runs.
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
  // An error without a status means no answer, or a broken one. Its code then comes from Node.
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
