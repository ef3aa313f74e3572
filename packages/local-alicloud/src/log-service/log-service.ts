/**
 * Simple Log Service: projects, log stores and indexes, which are kept, and GetLogs of what functions wrote. The vendor has a host for
 * each project, `<project>.<endpoint>`; one address serves all projects of a region here.
 * https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-overview
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { conditionsOf, openListener, readBody, type Served, type Tls } from "../api/http";
import { ApiError, type CallRecord, type FunctionCompute, type Ram } from "../contracts";
import { createSettingRecords, type SettingRecords } from "../records";
import { dashboardOperations } from "./dashboards";
import { getLogs } from "./get-logs";
import type { LogAnswer, LogCall, LogOperation } from "./log-call";
import { projectOperations } from "./projects";
import { authenticate } from "./signature";
import { storeOperations } from "./stores";

const MAX_BODY_BYTES = 10 * 1024 * 1024;

export interface LogServiceOptions {
  accountId: string;
  region: string;
  ram: Pick<Ram, "find" | "authorize">;
  fc: Pick<FunctionCompute, "logEntries">;
  /** Where projects, stores and indexes are kept. @default in this service alone */
  records?: SettingRecords | undefined;
  tls: Tls;
  /** @default a free port */
  port?: number | undefined;
  /** Ms since the epoch. @default the system's clock */
  now?: () => number;
  onCall?: (call: CallRecord) => void;
  /** Called for unexpected errors. @default prints them */
  onFailure?: (error: unknown, requestId: string) => void;
}

export function serveLogs(options: LogServiceOptions): Promise<Served> {
  const { accountId, region, records = createSettingRecords(), now = Date.now } = options;
  const operations = {
    ...projectOperations(records, accountId, now),
    ...storeOperations(records, now),
    ...dashboardOperations(records),
  };
  const onFailure =
    options.onFailure ??
    ((error: unknown, requestId: string) => console.error(`local log service (${region}): request ${requestId} failed:`, error));
  return openListener(
    options.tls,
    (request, response) => {
      const requestId = randomBytes(12).toString("hex").toUpperCase();
      answer(request, response, { ...options, now }, operations)
        .then((answered) => send(response, requestId, 200, answered))
        .catch((error: unknown) => {
          // The client has disconnected.
          if (request.socket.destroyed) return;
          if (!(error instanceof ApiError)) onFailure(error, requestId);
          send(response, requestId, error instanceof ApiError ? error.status : 500, { body: refusal(error) });
        })
        .catch((error: unknown) => {
          // Not even the refusal can be sent. That ends this connection, not the process.
          onFailure(error, requestId);
          response.destroy();
        });
    },
    options.port,
  );
}

const refusal = (error: unknown) =>
  error instanceof ApiError
    ? { errorCode: error.code, errorMessage: error.message }
    : { errorCode: "InternalServerError", errorMessage: "Internal server error message" };

function send(response: ServerResponse, requestId: string, status: number, { body, headers }: LogAnswer): void {
  const bytes = Buffer.from(body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body));
  response.writeHead(status, {
    ...{ "x-log-requestid": requestId, "content-length": bytes.byteLength },
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...headers,
  });
  response.end(bytes);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: LogServiceOptions & { now: () => number },
  operations: Readonly<Record<string, LogOperation>>,
): Promise<LogAnswer> {
  const { accountId, region, ram, fc, now, onCall } = options;
  const { method = "GET", url = "/", headers } = request;
  const mark = url.indexOf("?");
  const rawPath = mark === -1 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark === -1 ? "" : url.slice(mark + 1));
  const body = await readBody(request, response, MAX_BODY_BYTES);
  const principal = authenticate({ method, rawPath, query, headers, body }, ram, region, now());
  const call: LogCall = {
    ...{ region, project: projectOfHost(headers.host ?? "", region), query, body },
    authorize(action, part) {
      const resource = `acs:log:${region}:${accountId}:${part}`;
      const allowed = ram.authorize(principal, action, resource, { conditions: conditionsOf(request, now()) }) === "allow";
      onCall?.({ principal, action, resource, allowed });
      if (!allowed) throw new ApiError(401, "Unauthorized", `denied by sts or ram, action: ${action}, resource: ${resource}`);
    },
  };
  const [, name = "", tail = ""] = /^\/logstores\/([\w-]+)(\/[a-z]+)?$/.exec(rawPath) ?? [];
  if (method === "GET" && name !== "" && tail === "" && query.get("type") === "log") return getLogs(call, name, fc);
  const [, dashboard = ""] = /^\/dashboards\/([\w-]+)$/.exec(rawPath) ?? [];
  const path = name !== "" ? `/logstores/:name${tail}` : dashboard !== "" ? "/dashboards/:name" : rawPath;
  const operation = Object.hasOwn(operations, `${method} ${path}`) ? operations[`${method} ${path}`] : undefined;
  if (operation === undefined)
    throw new ApiError(404, "InvalidAPIVersion", `The local log service does not serve ${method} ${rawPath}.`);
  return operation(call, name || dashboard);
}

/** The first part of the host, unless the host is the endpoint itself: an address, `localhost`, or the vendor's name for the region. */
function projectOfHost(host: string, region: string): string | undefined {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  const [first, ...rest] = name.split(".");
  if (rest.length === 0 || /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || name.includes("[")) return undefined;
  return first === region || first === `${region}-intranet` ? undefined : first;
}
