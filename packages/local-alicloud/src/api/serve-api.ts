import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type ApiAnswer, type ApiCall, ApiError, type ApiHandler, type CallRecord, type Ram } from "../contracts";
import type { Principal } from "../oss/contracts";
import { authenticate, createNonces, type Nonces, SKEW_MS } from "./authenticate";
import { conditionsOf, openListener, readBody, type Served, type Tls } from "./http";
import type { SignedApiRequest } from "./signature";

export interface ApiOptions {
  /** The code of the service, e.g. `oos`. */
  service: string;
  region: string;
  handler: ApiHandler;
  ram: Pick<Ram, "find" | "authorize">;
  tls: Tls;
  /** @default a free port */
  port?: number | undefined;
  /** Ms since the epoch. @default the system's clock */
  now?: () => number;
  onCall?: (call: CallRecord) => void;
  /** Called for unexpected errors. @default prints them */
  onFailure?: (error: unknown, requestId: string) => void;
}

/** More than any service accepts. Each service has its own limit. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Serves the control API of one service in one region, in RPC and ROA style. */
export function serveApi(options: ApiOptions): Promise<Served> {
  const { service, region, tls, now = Date.now } = options;
  // A request's time may be as far ahead as behind.
  const nonces = createNonces(2 * SKEW_MS, now);
  const onFailure =
    options.onFailure ??
    ((error: unknown, requestId: string) => console.error(`local ${service} (${region}): request ${requestId} failed:`, error));
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const requestId = randomUUID().toUpperCase();
    answer(request, response, { ...options, now }, nonces)
      .then((answered) => send(response, requestId, answered))
      .catch((error: unknown) => {
        // The client has disconnected.
        if (request.socket.destroyed) return;
        if (!(error instanceof ApiError)) onFailure(error, requestId);
        send(response, requestId, refusal(error, `${service}.${region}.aliyuncs.com`));
      });
  };
  return openListener(tls, onRequest, options.port);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ApiOptions & { now: () => number },
  nonces: Nonces,
): Promise<ApiAnswer> {
  const { region, handler, ram, now } = options;
  const { method = "GET", url = "/", headers } = request;
  const mark = url.indexOf("?");
  const signed: SignedApiRequest = {
    method,
    rawPath: mark === -1 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? "" : url.slice(mark + 1)),
    headers,
    body: await readBody(request, response, MAX_BODY_BYTES),
  };
  const caller = authenticate(signed, ram, nonces, now());
  return handler({
    region,
    caller,
    action: String(headers["x-acs-action"]),
    method,
    path: signed.rawPath,
    query: signed.query,
    headers: flatten(headers),
    body: signed.body,
    authorize: authorizer(caller, conditionsOf(request, now()), options),
  });
}

function authorizer(
  principal: Principal,
  conditions: Record<string, string>,
  { ram, onCall }: Pick<ApiOptions, "ram" | "onCall">,
): ApiCall["authorize"] {
  return (action, resource) => {
    const allowed = ram.authorize(principal, action, resource, { conditions }) === "allow";
    onCall?.({ principal, action, resource, allowed });
    if (allowed) return;
    throw new ApiError(403, "NoPermission", `You are not authorized to do this action: ${action} on ${resource}.`);
  };
}

const flatten = (headers: IncomingMessage["headers"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]),
  );

function refusal(error: unknown, hostId: string): ApiAnswer {
  const [status, code, message] =
    error instanceof ApiError
      ? [error.status, error.code, error.message]
      : [500, "InternalError", "The request processing has failed due to some unknown error."];
  return { status, body: { Code: code, Message: message, HostId: hostId } };
}

function send(response: ServerResponse, requestId: string, { status, headers, body }: ApiAnswer): void {
  const json = body !== undefined && !Buffer.isBuffer(body);
  const bytes = json ? Buffer.from(JSON.stringify(Array.isArray(body) ? body : { RequestId: requestId, ...body })) : body;
  response.writeHead(status, {
    "x-acs-request-id": requestId,
    ...(json ? { "content-type": "application/json;charset=utf-8" } : {}),
    "content-length": bytes?.byteLength ?? 0,
    ...headers,
  });
  response.end(bytes);
}
