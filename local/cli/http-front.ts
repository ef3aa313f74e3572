/**
 * Serves a local cloud over plain HTTP, so that an S3 or OSS client of the user needs no certificate. Functions and policies use the
 * HTTPS address only.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import type { LocalEnd } from "./ends";
import { type Front, hostStyleOf, refusalOf } from "./front-guard";

export interface HttpFront {
  endpoint: string;
  close(): Promise<void>;
}

interface Upstream {
  host: string;
  port: string;
  ca: Buffer;
}

/** After a Content-Length, Node decodes a Content-Disposition and refuses the text. https://github.com/nodejs/node/pull/46528 */
function dispositionFirst(rawHeaders: readonly string[]): string[] {
  const pairs: [name: string, value: string][] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) pairs.push([rawHeaders[at] ?? "", rawHeaders[at + 1] ?? ""]);
  const isDisposition = ([name]: [string, string]) => name.toLowerCase() === "content-disposition";
  return [...pairs.filter(isDisposition), ...pairs.filter((pair) => !isDisposition(pair))].flat();
}

function forwardedHeaders(headers: IncomingHttpHeaders, front: Front): IncomingHttpHeaders {
  const { "content-disposition": disposition, ...others } = headers;
  // The local OSS serves that name as OSS does, which is not the way of the front.
  if (hostStyleOf(headers.host, front) === "vendor") others.host = `${front.bucket}.localhost:${front.port}`;
  return disposition === undefined ? others : { "content-disposition": disposition, ...others };
}

function refuse(outgoing: ServerResponse, status: number, reason: string): void {
  outgoing.writeHead(status, { "content-type": "text/plain", connection: "close" }).end(`${reason}\n`);
}

/** @throws TypeError for a request that Node can read and not write. */
function forward(incoming: IncomingMessage, outgoing: ServerResponse, front: Front, { host, port, ca }: Upstream): void {
  const { method, url } = incoming;
  const headers = forwardedHeaders(incoming.headers, front);
  const forwarded = httpsRequest(
    { host, port, ca, servername: host === "localhost" ? host : "", method, path: url, headers },
    (answer) => {
      try {
        outgoing.writeHead(answer.statusCode ?? 502, dispositionFirst(answer.rawHeaders));
      } catch {
        // The cloud sent a header that HTTP forbids. It ends this request, not the process.
        answer.destroy();
        outgoing.writeHead(502).end();
        return;
      }
      pipeline(answer, outgoing, () => undefined);
    },
  );
  // Once an answer has begun, its own pipeline ends it.
  forwarded.on("error", () => {
    if (!outgoing.headersSent) outgoing.writeHead(502).end();
  });
  pipeline(incoming, forwarded, () => undefined);
}

export async function serveHttpFront({
  kind,
  endpoint,
  caPath,
  bucket,
  region,
}: Pick<LocalEnd, "kind" | "endpoint" | "caPath" | "bucket" | "region">): Promise<HttpFront> {
  const { hostname: host, port } = new URL(endpoint);
  const upstream = { host, port, ca: await readFile(caPath) };
  const server = createServer((incoming, outgoing) => {
    const front = { kind, port: (server.address() as AddressInfo).port, bucket, region };
    const refusal = refusalOf({ method: incoming.method ?? "", url: incoming.url ?? "", headers: incoming.headers }, front);
    if (refusal !== undefined) {
      incoming.resume();
      refuse(outgoing, 403, refusal);
      return;
    }
    try {
      forward(incoming, outgoing, front, upstream);
    } catch (error) {
      incoming.resume();
      refuse(outgoing, 400, `the request cannot be forwarded: ${(error as Error).message}`);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // A connection that cannot be accepted, because too many are open, is lost; the others go on.
  server.on("error", (error) => console.error(`the front of ${bucket}: ${error.message}`));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
