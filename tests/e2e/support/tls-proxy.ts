/**
 * A TLS server in front of another one, for what only the wire can tell or break: it counts the bytes that passed, and breaks,
 * holds or replaces answers. The request goes through to the letter, raw path and Host header included, so signatures hold.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request as httpsRequest } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Certificate } from "../../../local/aws/certificate";

export interface SeenRequest {
  method: string;
  /** Path and query to the letter. */
  path: string;
  range: string | undefined;
  body: Buffer;
}

export interface Exchange {
  method: string;
  path: string;
  range: string | undefined;
  /** The answer's body as far as it was handed on, when it is JSON. */
  json: string;
  /** Absent while, or because, nothing was answered. */
  status?: number;
  /** Of the body, as handed on to the client. */
  bodyBytes: number;
}

/** What happens to a request; undefined leaves it to others, and with none it is forwarded. */
export type Treat = (request: SeenRequest) => Treatment | Promise<Treatment> | undefined;

export type Treatment =
  | { kind: "forward" }
  /** Answered here, nothing forwarded. */
  | { kind: "answer"; status: number; body: string }
  /** The connection is reset, nothing forwarded. */
  | { kind: "reset" }
  /** Forwarded only then. */
  | { kind: "wait"; until: Promise<unknown> }
  /** Forwarded, but the answer starts only then. */
  | { kind: "hold"; until: Promise<unknown> }
  /** Forwarded; of the answer's body this much arrives at once, the rest only then. */
  | { kind: "pause"; afterBytes: number; until: Promise<unknown> }
  /** Forwarded with one bit of the request's body flipped. */
  | { kind: "flip-request" }
  /** Forwarded; one bit of the first piece of the answer's body is flipped. */
  | { kind: "flip-answer" }
  /** Forwarded; of the answer's body this much arrives, then the connection is reset. */
  | { kind: "cut"; afterBytes: number };

export interface TlsProxy {
  /** `https://127.0.0.1:PORT`. */
  readonly origin: string;
  /** In the order they came. */
  readonly exchanges: readonly Exchange[];
  /** Asked for each request from now on, after those that were added before and said nothing to it. */
  treat(choice: Treat): void;
  /** New connections are refused, open ones reset, until `listen`. */
  refuse(): Promise<void>;
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** @param target origin of the server behind it, which shows the same certificate */
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
    await handOn(answer, outgoing, exchange, treatment);
  };

  const forward = async (incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> => {
    const { hostname, port } = new URL(target);
    const call = httpsRequest({
      hostname,
      port,
      agent,
      method: incoming.method,
      // As a string: parsing it would change keys with dots between slashes.
      path: incoming.url,
      headers: incoming.rawHeaders,
    });
    call.end(body);
    const [answer] = (await once(call, "response")) as [IncomingMessage];
    return answer;
  };

  const server = createServer({ cert, key: readFileSync(certificate.keyPath) }, (incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => {
      // Either side went away: the other is to see a broken connection, as without a proxy.
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

async function handOn(
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
    // Rejects when the client goes away.
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
