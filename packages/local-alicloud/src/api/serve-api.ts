import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type ApiAnswer, type ApiCall, ApiError, type ApiHandler, type CallRecord, type Ram } from "../contracts";
import type { Principal } from "../oss/contracts";
import { type Format, formatOf, refusal, render } from "./answer";
import { authenticate, createNonces, type Nonces, SKEW_MS } from "./authenticate";
import { conditionsOf, openListener, readBody, type Served, type Tls } from "./http";
import type { SignedApiRequest } from "./signed-call";

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

/** Serves a control API in one region, in RPC and ROA style, with all of the vendor's signatures. */
export function serveApi(options: ApiOptions): Promise<Served> {
  const { service, region, tls, now = Date.now } = options;
  // A request's time may be as far ahead as behind.
  const nonces = createNonces(2 * SKEW_MS, now);
  const onFailure =
    options.onFailure ??
    ((error: unknown, requestId: string) => console.error(`local ${service} (${region}): request ${requestId} failed:`, error));
  const hostId = `${service}.${region}.aliyuncs.com`;
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const requestId = randomUUID().toUpperCase();
    const exchange: Exchange = { request, response, requestId, format: "json", action: "" };
    answer(exchange, { ...options, now }, nonces)
      .then((answered) => send(exchange, answered, `${exchange.action}Response`))
      .catch((error: unknown) => {
        // The client has disconnected.
        if (request.socket.destroyed) return;
        if (!(error instanceof ApiError)) onFailure(error, requestId);
        send(exchange, refusal(error, hostId), "Error");
      })
      .catch((error: unknown) => {
        // Not even the refusal can be sent. That ends this connection, not the process.
        onFailure(error, requestId);
        response.destroy();
      });
  };
  return openListener(tls, onRequest, options.port);
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  requestId: string;
  /** JSON until the request has been read. */
  format: Format;
  /** Empty until the request is authenticated. */
  action: string;
}

async function answer(exchange: Exchange, options: ApiOptions & { now: () => number }, nonces: Nonces): Promise<ApiAnswer> {
  const { region, handler, ram, now } = options;
  const { request, response } = exchange;
  const { method = "GET", url = "/", headers } = request;
  const mark = url.indexOf("?");
  const signed: SignedApiRequest = {
    method,
    rawPath: mark === -1 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? "" : url.slice(mark + 1)),
    headers,
    body: await readBody(request, response, MAX_BODY_BYTES),
  };
  exchange.format = formatOf(signed);
  const { principal: caller, action, version } = authenticate(signed, ram, nonces, now());
  exchange.action = action;
  return handler({
    region,
    caller,
    action,
    version,
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

function send({ response, requestId, format }: Exchange, answered: ApiAnswer, root: string): void {
  const { headers, bytes } = render(answered, requestId, format, root);
  response.writeHead(answered.status, {
    "x-acs-request-id": requestId,
    ...headers,
    ...(answered.status === 204 ? {} : { "content-length": bytes?.byteLength ?? 0 }),
    ...answered.headers,
  });
  response.end(bytes);
}
