/**
 * A plain-http door to a local cloud for the person at the machine: S3 clients then need no certificate. Functions and policies see
 * the cloud's own https address only.
 */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import type { LocalPartition } from "../aws/local-aws";

export interface HttpFront {
  endpoint: string;
  close(): Promise<void>;
}

export async function serveHttpFront(cloud: LocalPartition): Promise<HttpFront> {
  const ca = await readFile(cloud.caPath);
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const forwarded = httpsRequest({ host: "127.0.0.1", port: cloud.port, ca, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      pipeline(answer, outgoing, () => undefined);
    });
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
