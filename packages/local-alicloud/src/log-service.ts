/**
 * Simple Log Service: GetLogs of what functions wrote. The vendor has a host for each project; here one address serves all projects of a
 * region, so a store of two projects is read as one. https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-getlogs
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { conditionsOf, openListener, type Served, type Tls } from "./api/http";
import { ApiError, type CallRecord, type FunctionCompute, type Ram } from "./contracts";
import type { Principal } from "./oss/contracts";

const SKEW_MS = 15 * 60 * 1000;
const MAX_LINES = 100;

export interface LogServiceOptions {
  accountId: string;
  region: string;
  ram: Pick<Ram, "find" | "authorize">;
  fc: Pick<FunctionCompute, "logEntries">;
  tls: Tls;
  /** @default a free port */
  port?: number | undefined;
  /** Ms since the epoch. @default the system's clock */
  now?: () => number;
  onCall?: (call: CallRecord) => void;
}

export function serveLogs(options: LogServiceOptions): Promise<Served> {
  return openListener(
    options.tls,
    (request, response) => {
      try {
        const body = getLogs(request, options);
        send(response, 200, body, { "x-log-progress": "Complete", "x-log-count": String(body.length) });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        send(response, error.status, { errorCode: error.code, errorMessage: error.message });
      }
    },
    options.port,
  );
}

function send(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", "x-log-requestid": "LOCAL", ...headers });
  response.end(JSON.stringify(body));
}

function getLogs(request: IncomingMessage, options: LogServiceOptions): object[] {
  const { accountId, region, ram, fc, now = Date.now, onCall } = options;
  const url = new URL(request.url ?? "/", "https://log");
  const principal = authenticate(request, url, ram, now());
  const store = /^\/logstores\/([\w-]+)$/.exec(url.pathname)?.[1];
  if (request.method !== "GET" || store === undefined || url.searchParams.get("type") !== "log")
    throw new ApiError(404, "InvalidAPIVersion", "The local log service serves GetLogs only.");
  const entries = fc.logEntries(region).filter(({ logstore }) => logstore === store);
  if (entries.length === 0) return [];
  for (const project of new Set(entries.map((entry) => entry.project))) {
    const [action, resource] = ["log:GetLogStoreLogs", `acs:log:${region}:${accountId}:project/${project}/logstore/${store}`];
    const allowed = ram.authorize(principal, action, resource, { conditions: conditionsOf(request, now()) }) === "allow";
    onCall?.({ principal, action, resource, allowed });
    if (!allowed) throw new ApiError(401, "Unauthorized", `denied by sts or ram, action: ${action}, resource: ${resource}`);
  }
  const number = (name: string, fallback?: number) => numberOf(url.searchParams, name, fallback);
  const [from, to, offset, line] = [number("from"), number("to"), number("offset", 0), number("line", MAX_LINES)];
  if (line > MAX_LINES) throw new ApiError(400, "ParameterInvalid", `line must be at most ${MAX_LINES}`);
  const matches = matcherOf(url.searchParams.get("query") ?? "");
  const found = entries
    .filter(({ atMs, text }) => atMs >= from * 1000 && atMs < to * 1000 && matches(text))
    .sort((a, b) => a.atMs - b.atMs);
  if (url.searchParams.get("reverse") === "true") found.reverse();
  return found.slice(offset, offset + line).map(({ atMs, functionName, text }) => ({
    ...{ __time__: String(Math.floor(atMs / 1000)), __source__: "", __topic__: `FCLogs:${functionName}` },
    ...{ functionName, message: text },
  }));
}

function numberOf(parameters: URLSearchParams, name: string, fallback?: number): number {
  const text = parameters.get(name) ?? (fallback === undefined ? "" : String(fallback));
  if (/^\d+$/.test(text)) return Number(text);
  throw new ApiError(400, "ParameterInvalid", `${name} must be a whole number`);
}

/** Serves `*` and quoted words joined by `or`. https://www.alibabacloud.com/help/en/sls/user-guide/search-syntax */
function matcherOf(query: string): (text: string) => boolean {
  if (query === "" || query === "*") return () => true;
  const words = query.split(/ or /i).map((term) => /^"([^"]+)"$/.exec(term.trim())?.[1]?.toLowerCase());
  return (text) => {
    const lower = text.toLowerCase();
    return words.some((word) => {
      if (word === undefined)
        throw new ApiError(400, "ParameterInvalid", `the local log service does not serve the query ${query}`);
      return lower.includes(word);
    });
  };
}

/** https://www.alibabacloud.com/help/en/sls/developer-reference/request-signatures */
function authenticate(request: IncomingMessage, url: URL, credentials: Pick<Ram, "find">, now: number): Principal {
  const { headers, method = "GET" } = request;
  const [, accessKeyId, signature] = /^LOG ([^:\s]+):(\S+)$/.exec(headers.authorization ?? "") ?? [];
  if (accessKeyId === undefined || signature === undefined)
    throw new ApiError(400, "MissingAuthorization", "the header Authorization is required");
  const date = String(headers["x-log-date"] ?? headers.date ?? "");
  if (!(Math.abs(now - Date.parse(date)) <= SKEW_MS)) throw new ApiError(400, "RequestTimeExpired", "Request time has expired");
  const credential = credentials.find(accessKeyId);
  if (credential === undefined) throw new ApiError(401, "Unauthorized", `The AccessKeyId not found: ${accessKeyId}`);
  if (headers["x-acs-security-token"] !== credential.sessionToken)
    throw new ApiError(401, "Unauthorized", "The security token you provided is invalid");
  const expected = createHmac("sha1", credential.secret)
    .update(stringToSign(method, url, headers, date), "utf8")
    .digest();
  const given = Buffer.from(signature, "base64");
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new ApiError(401, "SignatureNotMatch", `signature ${signature} not match`);
  return credential.principal;
}

function stringToSign(method: string, url: URL, headers: IncomingHttpHeaders, date: string): string {
  const named = Object.keys(headers).filter((name) => /^x-(log|acs)-/.test(name));
  const query = [...url.searchParams].map(([name, value]) => `${name}=${value}`).sort();
  return [
    ...[method, String(headers["content-md5"] ?? ""), String(headers["content-type"] ?? ""), date],
    ...named.sort().map((name) => `${name}:${String(headers[name])}`),
    query.length === 0 ? url.pathname : `${url.pathname}?${query.join("&")}`,
  ].join("\n");
}
