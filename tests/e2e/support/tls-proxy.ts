/**
 * A TLS proxy in front of a server. It counts the bytes of answers, and breaks, holds or replaces answers. It forwards requests unchanged,
 * with the raw path and the Host header, so signatures stay valid.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request as httpsRequest } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Certificate } from "../../../local/aws/certificate";

export interface SeenRequest {
  method: string;
  /** Path and query as sent. */
  path: string;
  range: string | undefined;
  body: Buffer;
}

export interface Exchange {
  method: string;
  path: string;
  range: string | undefined;
  /** The forwarded part of the answer's body, if it is JSON. */
  json: string;
  /** Absent if there is no answer. */
  status?: number;
  /** Bytes of the body that were forwarded to the client. */
  bodyBytes: number;
}

/** Chooses the treatment of a request. Undefined leaves the choice to the next one; the default is to forward. */
export type Treat = (request: SeenRequest) => Treatment | Promise<Treatment> | undefined;

export type Treatment =
  | { kind: "forward" }
  /** The proxy answers. Nothing is forwarded. */
  | { kind: "answer"; status: number; body: string }
  /** The connection is reset. Nothing is forwarded. */
  | { kind: "reset" }
  /** The request is forwarded after `until`. */
  | { kind: "wait"; until: Promise<unknown> }
  /** The request is forwarded. The answer starts after `until`. */
  | { kind: "hold"; until: Promise<unknown> }
  /** The request is forwarded. The answer stops after `afterBytes` and continues after `until`. */
  | { kind: "pause"; afterBytes: number; until: Promise<unknown> }
  /** The request is forwarded with one flipped bit in its body. */
  | { kind: "flip-request" }
  /** The request is forwarded. The first chunk of the answer has one flipped bit. */
  | { kind: "flip-answer" }
  /** The request is forwarded. The connection breaks after `afterBytes` of the answer. */
  | { kind: "cut"; afterBytes: number };

export interface TlsProxy {
  /** `https://127.0.0.1:PORT`. */
  readonly origin: string;
  /** All exchanges, in order of arrival. */
  readonly exchanges: readonly Exchange[];
  /** Adds a choice for all later requests. Choices that were added before come first. */
  treat(choice: Treat): void;
  /** Refuses new connections and resets open ones until `listen`. */
  refuse(): Promise<void>;
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** @param target origin of the server; it has the same certificate */
export async function startTlsProxy(target: string, certificate: Certificate): Promise<TlsProxy> {
  const cert = readFileSync(certificate.certPath);
  const agent = new Agent({ ca: cert, keepAlive: true });
  const exchanges: Exchange[] = [];
  const sockets = new Set<Socket>();
  const choices: Treat[] = [];
  const choose = (request: SeenRequest): Treatment | Promise<Treatment> => {
    for (const choice of choices) {
      const treatment = choice(request);
      if (treatment !== undefined) return treatment;
    }
    return { kind: "forward" };
  };

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = "", url: path = "", headers } = incoming;
    const exchange: Exchange = { method, path, range: headers.range, json: "", bodyBytes: 0 };
    exchanges.push(exchange);
    const body = Buffer.concat(chunks);
    const treatment = await choose({ method, path, range: headers.range, body });
    if (treatment.kind === "reset") return void incoming.socket.resetAndDestroy();
    if (treatment.kind === "answer") {
      exchange.status = treatment.status;
      outgoing.writeHead(treatment.status, { "content-type": "application/json" }).end(treatment.body);
      return;
    }
    if (treatment.kind === "wait") await treatment.until;
    if (treatment.kind === "flip-request") flipOneBit(body);
    const answer = await forward(incoming, body);
    if (treatment.kind === "hold") await treatment.until;
    exchange.status = answer.statusCode ?? 0;
    outgoing.writeHead(exchange.status, answer.rawHeaders);
    outgoing.flushHeaders();
    await forwardBody(answer, outgoing, exchange, treatment);
  };

  const forward = async (incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> => {
    const { hostname, port } = new URL(target);
    const call = httpsRequest({
      hostname,
      port,
      agent,
      method: incoming.method,
      // A string, because parsing would change keys with dot segments.
      path: incoming.url,
      headers: incoming.rawHeaders,
    });
    call.end(body);
    const [answer] = (await once(call, "response")) as [IncomingMessage];
    return answer;
  };

  const server = createServer({ cert, key: readFileSync(certificate.keyPath) }, (incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => {
      // One side closed its connection. The client must see a broken connection, as without a proxy.
      incoming.socket.destroy();
    });
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  let port = 0;
  const listen = async () => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  };
  const refuse = async () => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
  await listen();
  return {
    origin: `https://127.0.0.1:${port}`,
    exchanges,
    treat(choice) {
      choices.push(choice);
    },
    listen,
    refuse,
    async close() {
      await refuse();
      agent.destroy();
    },
  };
}

async function forwardBody(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  exchange: Exchange,
  treatment: Treatment,
): Promise<void> {
  const limited = treatment.kind === "pause" || treatment.kind === "cut" ? treatment : undefined;
  let gate = limited;
  const gone = new AbortController();
  const isJson = answer.headers["content-type"]?.startsWith("application/json") === true;
  if (outgoing.closed) gone.abort();
  outgoing.once("close", () => gone.abort());
  const write = async (bytes: Buffer) => {
    gone.signal.throwIfAborted();
    exchange.bodyBytes += bytes.length;
    if (isJson) exchange.json += bytes.toString("utf8");
    // Rejects when the client closes the connection.
    if (!outgoing.write(bytes)) await once(outgoing, "drain", { signal: gone.signal });
  };
  for await (const chunk of answer) {
    let bytes = chunk as Buffer;
    if (treatment.kind === "flip-answer" && exchange.bodyBytes === 0) flipOneBit(bytes);
    if (gate && exchange.bodyBytes + bytes.length > gate.afterBytes) {
      const before = gate.afterBytes - exchange.bodyBytes;
      await write(bytes.subarray(0, before));
      bytes = bytes.subarray(before);
      if (gate.kind === "cut") {
        outgoing.destroy();
        answer.destroy();
        return;
      }
      await gate.until;
      gate = undefined;
    }
    await write(bytes);
  }
  outgoing.end();
}

function flipOneBit(bytes: Buffer): void {
  if (bytes.length === 0) throw new Error("there is no bit to flip");
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] as number) ^ 1;
}
