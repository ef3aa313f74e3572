/**
 * Reads the log of a function of Function Compute from Simple Log Service (SLS). Its control API has a signature of its own, so the vendor's
 * client for the other services cannot call it. https://www.alibabacloud.com/help/en/sls/developer-reference/request-signatures
 */
import { createHmac } from "node:crypto";
import type { Dispatcher } from "undici";
import { controlError } from "../../runtime/platforms/alicloud-fc/errors";
import { parseText, textAt } from "../../runtime/protocol/json";
import type { OssCredentials } from "../../runtime/stores/oss/credentials";
import { readAll } from "../../runtime/stores/read-all";
import type { AlicloudAccess, FunctionLog, LogLine } from "../operated-bridge";
import { isAbout, isOfTopic, type LogTopic, type ReadLogOptions, readLines, WAITING } from "./side";

/** Made by `components/alicloud/logs.ts`. */
const STORE = "functions";
/** The most lines that one answer may have. */
const PAGE = 100;
const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

export function queryOf({ messages, errors, metrics }: LogTopic): string {
  const words = [...messages, ...(errors ? ["error"] : []), ...(metrics ? ["metrics"] : [])];
  return words.map((word) => `"${word}"`).join(" or ");
}

/** The index holds words, so this finds every line with all words of the key, and the reader selects again. */
const keyQuery = (key: string): string => JSON.stringify(key);

export interface SlsOptions extends Pick<AlicloudAccess, "credentials" | "originOf" | "region"> {
  project: string;
  functionName: string;
  dispatcher: Dispatcher;
  now(): number;
}

/** The newest lines, but oldest first. https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-getlogs */
export async function readFunctionLog(
  options: SlsOptions,
  { sinceMs, limit, signal, key, topic = WAITING }: ReadLogOptions,
): Promise<FunctionLog> {
  const { functionName, now } = options;
  const [text, isWanted] = key === undefined ? [queryOf(topic), isOfTopic(topic)] : [keyQuery(key), isAbout(key)];
  const from = Math.floor(sinceMs / 1000);
  const to = Math.ceil(now() / 1000) + 1;
  const lines: LogLine[] = [];
  let complete = true;
  for (let offset = 0; ; offset += PAGE) {
    const query = { type: "log", from, to, query: text, line: PAGE, offset, reverse: "true" };
    const { entries, progress } = await getLogs(options, query, signal);
    complete &&= progress !== "Incomplete";
    for (const entry of entries) {
      const { functionName: writer = functionName, ...texts } = entry as Record<string, unknown>;
      if (writer !== functionName) continue;
      for (const one of Object.values(texts)) if (typeof one === "string") lines.push(...readLines(one).filter(isWanted));
    }
    if (entries.length < PAGE) break;
    if (lines.length >= limit) {
      complete = false;
      break;
    }
  }
  return { lines: lines.reverse(), complete };
}

async function getLogs(
  { region, project, originOf, credentials, dispatcher, now }: SlsOptions,
  query: Record<string, string | number>,
  signal: AbortSignal | undefined,
): Promise<{ entries: unknown[]; progress: string | undefined }> {
  const host = `${project}.${region}.log.aliyuncs.com`;
  const what = `the log store ${STORE} of the project ${project} cannot be read`;
  const parameters = Object.entries(query).map(([name, value]) => [name, String(value)] as const);
  const path = `/logstores/${STORE}`;
  const headers = signLogRequest({ path, parameters, date: new Date(now()).toUTCString() }, await credentials());
  const answer = await dispatcher
    .request({
      ...{ origin: originOf(host), path: `${path}?${new URLSearchParams(Object.fromEntries(parameters))}`, method: "GET" },
      ...{ headers, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS, signal: signal ?? null },
    })
    .then(async ({ statusCode, headers: sent, body }) => ({
      status: statusCode,
      progress: sent["x-log-progress"],
      requestId: sent["x-log-requestid"],
      body: parseText((await readAll(body, MAX_ANSWER_BYTES)).toString("utf8"))?.value,
    }))
    .catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw controlError("log", what, {}, cause);
    });
  const { status, progress, requestId, body } = answer;
  if (status === 200 && Array.isArray(body)) return { entries: body, progress: String(progress) };
  throw controlError("log", what, { status, code: textAt(body, "errorCode"), requestId: requestId && String(requestId) });
}

interface LogRequest {
  path: string;
  parameters: readonly (readonly [string, string])[];
  /** As in the header. */
  date: string;
}

/** The headers of a GET without a body. */
export function signLogRequest({ path, parameters, date }: LogRequest, credentials: OssCredentials): Record<string, string> {
  const { accessKeyId, accessKeySecret, securityToken } = credentials;
  const own: Record<string, string> = {
    "x-log-apiversion": "0.6.0",
    "x-log-bodyrawsize": "0",
    "x-log-signaturemethod": "hmac-sha1",
    ...(securityToken === undefined ? {} : { "x-acs-security-token": securityToken }),
  };
  const canonical = Object.keys(own)
    .sort()
    .map((name) => `${name}:${own[name]}`);
  const query = [...parameters]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  // The second and third line are the digest and the type of a body.
  const text = ["GET", "", "", date, ...canonical, query === "" ? path : `${path}?${query}`].join("\n");
  const signature = createHmac("sha1", accessKeySecret).update(text, "utf8").digest("base64");
  return { ...own, date, authorization: `LOG ${accessKeyId}:${signature}` };
}
