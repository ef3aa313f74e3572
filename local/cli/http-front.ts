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

export interface HttpFront {
  endpoint: string;
  close(): Promise<void>;
}

export async function serveHttpFront({ endpoint, caPath }: Pick<LocalEnd, "endpoint" | "caPath">): Promise<HttpFront> {
  const ca = await readFile(caPath);
  const { hostname: host, port } = new URL(endpoint);
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const forwarded = httpsRequest(
      { host, port, ca, servername: host === "localhost" ? host : "", method, path: url, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
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
