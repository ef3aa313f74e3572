/** A TLS server in front of OSS that changes the CRC-64 of chosen answers, so that a store must conclude that the bytes are wrong. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import type { Certificate } from "../../../local/aws/certificate";

export interface CrcLiar {
  /** `https://127.0.0.1:PORT`. */
  readonly origin: string;
  /** Changes the CRC-64 in the answer to the next request that fits. Resolves once it has done so. */
  lieOnce(fits: (request: { method: string; path: string }) => boolean): Promise<void>;
  close(): Promise<void>;
}

const HEADER = "x-oss-hash-crc64ecma";

export async function startCrcLiar(target: string, certificate: Certificate): Promise<CrcLiar> {
  const cert = readFileSync(certificate.certPath);
  const agent = new Agent({ ca: cert, keepAlive: true });
  const { hostname, port } = new URL(target);
  const lies: { fits: (request: { method: string; path: string }) => boolean; done: () => void }[] = [];

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method = "", url: path = "", rawHeaders } = incoming;
    const call = httpsRequest({ hostname, port, agent, method, path, headers: rawHeaders });
    incoming.pipe(call);
    incoming.once("error", () => call.destroy());
    outgoing.once("close", () => call.destroy());
    const [answer] = (await once(call, "response")) as [IncomingMessage];
    const headers = [...answer.rawHeaders];
    const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === HEADER) + 1;
    const lie = at === 0 ? undefined : lies.find(({ fits }) => fits({ method, path }));
    if (lie !== undefined) {
      lies.splice(lies.indexOf(lie), 1);
      headers[at] = String((BigInt(headers[at] ?? "0") + 1n) % 2n ** 64n);
      lie.done();
    }
    outgoing.writeHead(answer.statusCode ?? 0, headers);
    answer.pipe(outgoing);
    answer.once("error", () => outgoing.destroy());
  };

  const server = createServer({ cert, key: readFileSync(certificate.keyPath) }, (incoming, outgoing) => {
    // One side closed its connection: the other side must see a broken connection, as without this server.
    serve(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lieOnce: (fits) => new Promise((done) => lies.push({ fits, done })),
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      agent.destroy();
    },
  };
}
