/**
 * Serves a local cloud over plain HTTP, so that an S3 or OSS client of the user needs no certificate. Functions and policies use the
 * HTTPS address only.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import type { LocalEnd } from "./ends";
import { refusalOf } from "./front-guard";

export interface HttpFront {
  endpoint: string;
  close(): Promise<void>;
}

/** After a Content-Length, Node decodes a Content-Disposition and refuses the text. https://github.com/nodejs/node/pull/46528 */
function dispositionFirst(rawHeaders: readonly string[]): string[] {
  const pairs: [name: string, value: string][] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) pairs.push([rawHeaders[at] ?? "", rawHeaders[at + 1] ?? ""]);
  const isDisposition = ([name]: [string, string]) => name.toLowerCase() === "content-disposition";
  return [...pairs.filter(isDisposition), ...pairs.filter((pair) => !isDisposition(pair))].flat();
}

export async function serveHttpFront({
  kind,
  endpoint,
  caPath,
}: Pick<LocalEnd, "kind" | "endpoint" | "caPath">): Promise<HttpFront> {
  const ca = await readFile(caPath);
  const { hostname: host, port } = new URL(endpoint);
  const server = createServer((incoming, outgoing) => {
    const front = { kind, port: (server.address() as AddressInfo).port };
    const refusal = refusalOf({ method: incoming.method ?? "", url: incoming.url ?? "", headers: incoming.headers }, front);
    if (refusal !== undefined) {
      incoming.resume();
      outgoing.writeHead(403, { "content-type": "text/plain", connection: "close" }).end(`${refusal}\n`);
      return;
    }
    const { method, url } = incoming;
    const { "content-disposition": disposition, ...others } = incoming.headers;
    const headers = disposition === undefined ? others : { "content-disposition": disposition, ...others };
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
    forwarded.on("error", () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
    pipeline(incoming, forwarded, () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
