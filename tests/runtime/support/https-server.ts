import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { generate } from "selfsigned";

export interface SeenRequest {
  method: string;
  /** As received. */
  url: string;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

export interface TestServer {
  origin: string;
  port: number;
  /** The certificate, to be trusted by the client. */
  ca: string;
  readonly seen: SeenRequest[];
  /** TLS connections accepted so far. */
  connections(): number;
  /** TLS connections that resumed a session. */
  resumed(): number;
  /** Ends the open connections, as a server does after its keep-alive time. Resolves once they are closed here. */
  closeIdle(): Promise<void>;
  close(): Promise<void>;
}

export type Answer = (request: SeenRequest, response: ServerResponse) => void;

let certificate: Promise<{ private: string; cert: string }> | undefined;

/** For `127.0.0.1` and `localhost`; made once per test file. */
export function testCertificate(): Promise<{ private: string; cert: string }> {
  certificate ??= generate([{ name: "commonName", value: "localhost" }], {
    algorithm: "sha256",
    keyType: "ec",
    extensions: [
      { name: "basicConstraints", cA: false },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 2, value: "bucket.example.com" },
          { type: 7, ip: "127.0.0.1" },
        ],
      },
    ],
  });
  return certificate;
}

/** A real TLS server on loopback. `answer` runs after the request's body was received. */
export async function startHttps(answer: Answer): Promise<TestServer> {
  const { private: key, cert } = await testCertificate();
  const seen: SeenRequest[] = [];
  let connections = 0;
  const server = createServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks) };
      seen.push(one);
      answer(one, response);
    });
  });
  let resumed = 0;
  const open = new Set<TLSSocket>();
  server.on("secureConnection", (socket) => {
    connections += 1;
    if (socket.isSessionReused()) resumed += 1;
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `https://127.0.0.1:${port}`,
    port,
    ca: cert,
    seen,
    connections: () => connections,
    resumed: () => resumed,
    async closeIdle() {
      await Promise.all([...open].map((socket) => once(socket.end(), "close")));
    },
    close: () =>
      new Promise((resolve, reject) => {
        server.closeAllConnections();
        server.close((error) => (error ? reject(error) : resolve()));
      }),
  };
}
