import type { IncomingMessage, ServerResponse } from "node:http";
import { ApiError } from "../contracts";
import { isForeignPage, isOwnHost } from "../local-clients";
import { type HttpAnswer, httpAnswer } from "./http-answer";
import { assertRequest, httpEvent } from "./http-event";
import type { Outcome } from "./instance";
import { accessDenied, invalidArgument, MAX_SYNC_PAYLOAD_BYTES, notFound } from "./names";
import type { HttpTarget, Triggers } from "./triggers";

export interface HttpEndpointOptions {
  region: string;
  accountId: string;
  triggers: Triggers;
  newRequestId: () => string;
  now: () => number;
  invoke: (target: HttpTarget, requestId: string, event: Buffer) => Promise<Outcome>;
  invokeAsync: (target: HttpTarget, requestId: string, event: Buffer) => void;
  onFailure: (error: unknown) => void;
}

/** The HTTP triggers of a region, at `/<trigger id>/<the function's path>`. */
export function httpEndpoint(options: HttpEndpointOptions) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const requestId = options.newRequestId();
    serve(options, requestId, request, response)
      .catch((error: unknown) => {
        // A client that disconnects while it sends its body is not a failure of the service.
        const gone = request.destroyed && !request.complete;
        return refuse(error, requestId, gone ? () => {} : options.onFailure);
      })
      .then((answer) => {
        // Read and drop the rest of a refused body: a client that is still sending does not read the answer.
        request.resume();
        send(response, requestId, answer, request.method === "HEAD");
      })
      .catch((error: unknown) => {
        options.onFailure(error);
        response.destroy();
      });
  };
}

async function serve(
  options: HttpEndpointOptions,
  requestId: string,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<HttpAnswer> {
  const { region, accountId, now } = options;
  if (!isOwnHost(message.headers.host)) throw accessDenied("the Host header names another host: use the trigger's address");
  if (isForeignPage(message.headers)) throw accessDenied("requests of web pages of other machines are not served here");
  const [, name = "", target = ""] = /^\/([^/?]*)(.*)$/.exec(message.url ?? "") ?? [];
  const found = options.triggers.findHttp(region, name);
  if (found === undefined) throw notFound("Trigger", name);
  if (found.trigger.disableUrlInternet && !found.intranet)
    throw accessDenied("the trigger's address on the internet is disabled");
  assertRequest(message, found.trigger.methods);
  if (message.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  const body = await readBody(message);
  const { triggerId } = found;
  const event = httpEvent({ message, target, body, triggerId }, { region, accountId, requestId, now: now() });
  if (message.headers["x-fc-invocation-type"]?.toString().toLowerCase() === "async") {
    options.invokeAsync(found, requestId, event);
    return { status: 202, headers: {}, body: Buffer.alloc(0) };
  }
  return httpAnswer(await options.invoke(found, requestId, event));
}

async function readBody(message: IncomingMessage): Promise<Buffer> {
  const tooLarge = () => invalidArgument(`the body has more than ${MAX_SYNC_PAYLOAD_BYTES} bytes`);
  if (Number(message.headers["content-length"] ?? 0) > MAX_SYNC_PAYLOAD_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Read to the end: leaving the loop would close the connection before the refusal is sent.
    if (size > MAX_SYNC_PAYLOAD_BYTES) chunks.length = 0;
    else chunks.push(chunk);
  }
  if (size > MAX_SYNC_PAYLOAD_BYTES) throw tooLarge();
  return Buffer.concat(chunks);
}

function refuse(error: unknown, requestId: string, onFailure: (error: unknown) => void): HttpAnswer {
  if (!(error instanceof ApiError)) onFailure(error);
  const refusal = error instanceof ApiError ? error : new ApiError(500, "InternalServerError", "an internal error occurred");
  const document = { RequestId: requestId, Code: refusal.code, Message: refusal.message };
  const headers = { "content-type": "application/json", "x-fc-error-type": "FcCommonError" };
  return { status: refusal.status, headers, body: Buffer.from(JSON.stringify(document)) };
}

function send(response: ServerResponse, requestId: string, { status, headers, body }: HttpAnswer, head: boolean): void {
  // The client has disconnected.
  if (response.destroyed) return;
  const bodyless = status === 204 || status === 304;
  response.writeHead(status, {
    ...headers,
    "x-fc-request-id": requestId,
    ...(bodyless ? {} : { "content-length": body.length }),
  });
  response.end(bodyless || head ? undefined : body);
}
