/**
 * The HTTP server that Function Compute calls in a custom runtime. Only a custom runtime lets one instance serve several invocations at once.
 * https://www.alibabacloud.com/help/en/functioncompute/fc/principles-1
 * https://www.alibabacloud.com/help/en/functioncompute/fc/context-and-log-format-1
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { FunctionContext, FunctionHandler } from "./handler";

/** The component sets the same port in `customRuntimeConfig`. */
const PORT = 9000;
/** Function Compute does not reach a server that listens on 127.0.0.1. */
const HOST = "0.0.0.0";
const FAILED = 404;

/**
 * Starts the server. Function Compute keeps its connections for hours, so none of them is closed here.
 * @throws Error where the component did not set the function's timeout
 */
export function serveInvocations(
  handler: FunctionHandler<unknown>,
  env: Readonly<Record<string, string | undefined>>,
  port = PORT,
): Server {
  const timeout = Number(env.TIMEOUT_SECONDS);
  if (!(timeout > 0)) throw new Error("TIMEOUT_SECONDS is not set: deploy this function with the CrossBorderBridge component");
  const server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 }, (request, response) => {
    void answer(handler, { request, response, timeout });
  });
  return server.listen(port, HOST);
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  /** Seconds. */
  timeout: number;
}

/** Answers one invocation. A failed one is reported as failed, so that an asynchronous event is delivered again. */
async function answer(handler: FunctionHandler<unknown>, { request, response, timeout }: Exchange): Promise<void> {
  try {
    if (request.method !== "POST" || request.url !== "/invoke")
      throw new Error(`${request.method} ${request.url} is no invocation`);
    const event = Buffer.concat(await request.toArray());
    const result = await handler(event, contextOf(request.headers, timeout));
    send(response, 200, result === undefined ? "" : JSON.stringify(result));
  } catch (error) {
    const { message, name } = error instanceof Error ? error : { message: String(error), name: "Error" };
    send(response, FAILED, JSON.stringify({ errorMessage: message, errorType: name }));
  }
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "x-fc-status": String(status), "content-length": Buffer.byteLength(body) }).end(body);
}

function contextOf(headers: IncomingHttpHeaders, timeout: number): FunctionContext {
  const text = (name: string): string => String(headers[name] ?? "");
  return {
    credentials: {
      accessKeyId: text("x-fc-access-key-id"),
      accessKeySecret: text("x-fc-access-key-secret"),
      securityToken: text("x-fc-security-token"),
    },
    function: { timeout },
    retryCount: Number(headers["x-fc-retry-count"] ?? 0),
  };
}
