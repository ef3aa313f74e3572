import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";

export interface Listener {
  port: number;
  /** Ends open connections. */
  close(): Promise<void>;
  /** Takes no more connections, and ends each open one after its answer. */
  retire(): void;
}

/** The first byte of every TLS connection. */
const TLS_HANDSHAKE = 0x16;

/** A connection that sends nothing is closed after this time. */
const FIRST_BYTE_MS = 60_000;

/** Listens on one port of 127.0.0.1 for https and for plain http, as OSS does. */
export function listen(
  handler: RequestListener,
  options: {
    cert: Buffer;
    key: Buffer;
    port?: number | undefined;
    /** From the first byte of a request to the last one of its body. @default 0, no limit */
    requestTimeoutMs?: number | undefined;
  },
): Promise<Listener> {
  const { cert, key, port = 0, requestTimeoutMs: requestTimeout = 0 } = options;
  // ali-oss sends a stream with Content-Length and Transfer-Encoding when the caller gives the length, and OSS takes it.
  const settings = { requestTimeout, keepAliveTimeout: 60_000, maxHeaderSize: 64 * 1024, insecureHTTPParser: true };
  const answering = new WeakMap<Duplex, ServerResponse<IncomingMessage>>();
  const track: RequestListener = (request, response) => {
    answering.set(request.socket, response);
    handler(request, response);
  };
  const http = createHttpServer(settings, track);
  const https = createHttpsServer({ ...settings, cert, key }, track);
  for (const server of [http, https]) {
    // The handler asks for the body itself, so that a refused request never sends one.
    server.on("checkContinue", track);
    server.on("clientError", (_error, socket) => {
      const response = answering.get(socket);
      // Bytes after a complete request are not a request. OSS still sends the answer when a body is longer than its Content-Length.
      if (response?.req.complete && !response.writableFinished) response.once("close", () => socket.destroy());
      else socket.destroy();
    });
  }
  const sockets = new Set<Socket>();
  const front = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // The client disconnected; the handler of its request sees the abort.
    socket.on("error", () => socket.destroy());
    const silent = () => socket.destroy();
    socket.setTimeout(FIRST_BYTE_MS, silent);
    socket.once("readable", () => {
      // From here on the server of HTTP has its own limits.
      socket.setTimeout(0, silent);
      const first: Buffer | null = socket.read(1);
      if (first === null) {
        socket.destroy();
        return;
      }
      socket.unshift(first);
      const server: HttpServer = first[0] === TLS_HANDSHAKE ? https : http;
      server.emit("connection", socket);
    });
  });
  return new Promise((resolve, reject) => {
    front.once("error", reject);
    front.listen(port, "127.0.0.1", () => {
      resolve({
        port: (front.address() as AddressInfo).port,
        close: () =>
          new Promise((closed, failed) => {
            for (const socket of sockets) socket.destroy();
            // A retired one does not listen, and that is an error for `close`.
            if (!front.listening) closed();
            else front.close((error) => (error === undefined ? closed() : failed(error)));
          }),
        retire: () => {
          front.close();
          for (const server of [http, https]) {
            server.keepAliveTimeout = 1;
            server.closeIdleConnections();
          }
        },
      });
    });
  });
}
