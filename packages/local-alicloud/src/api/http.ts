import { readFile } from "node:fs/promises";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import { ApiError } from "../contracts";
import { refusalOfApi } from "../local-clients";
import { type Listener, listen } from "../oss/listen";

export interface Tls {
  certPath: string;
  keyPath: string;
}

/** An open listener. */
export interface Served {
  /** `https://localhost:PORT` */
  origin: string;
  /** Ends open connections. */
  close(): Promise<void>;
}

/** Longer than any client sends the largest request. */
export const REQUEST_TIMEOUT_MS = 5 * 60 * 1000;

/** Serves programs of this machine. No web page gets an answer of `handler`. */
export async function openListener(tls: Tls, handler: RequestListener, port?: number): Promise<Served> {
  const [cert, key] = await Promise.all([readFile(tls.certPath), readFile(tls.keyPath)]);
  const guarded: RequestListener = (request, response) => {
    const refusal = refusalOfApi(request.headers);
    if (refusal === undefined) return handler(request, response);
    request.resume();
    const headers = { "content-type": "application/json;charset=utf-8", connection: "close" };
    response.writeHead(403, headers).end(JSON.stringify({ Code: "Forbidden", Message: refusal }));
  };
  const listener: Listener = await listen(guarded, { cert, key, port, requestTimeoutMs: REQUEST_TIMEOUT_MS });
  return { origin: `https://localhost:${listener.port}`, close: () => listener.close() };
}

/** Reads the whole body. @throws ApiError 413 `RequestTooLarge` */
export async function readBody(request: IncomingMessage, response: ServerResponse, maxBytes: number): Promise<Buffer> {
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  const chunks: Buffer[] = [];
  let size = 0;
  // Read and drop what exceeds the limit: a client that is still sending does not read the answer.
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size <= maxBytes) chunks.push(chunk);
  }
  if (size > maxBytes) throw new ApiError(413, "RequestTooLarge", `The request body is larger than ${maxBytes} bytes.`);
  return Buffer.concat(chunks);
}

/** Condition keys that every request has. https://www.alibabacloud.com/help/en/ram/policy-elements */
export const conditionsOf = (request: IncomingMessage, now: number): Record<string, string> => ({
  "acs:SourceIp": request.socket.remoteAddress ?? "",
  "acs:SecureTransport": String(request.socket instanceof TLSSocket),
  "acs:CurrentTime": new Date(now).toISOString(),
  "acs:UserAgent": request.headers["user-agent"] ?? "",
});
