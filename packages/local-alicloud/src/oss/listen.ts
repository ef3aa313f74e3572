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
}

/** The first byte of a TLS connection: a handshake record. */
const TLS_HANDSHAKE = 0x16;

/**
 * One port of 127.0.0.1 that answers https and, as OSS does, plain http: whether http is allowed is the bucket's own setting.
 */
export function listen(
  handler: RequestListener,
  options: { cert: Buffer; key: Buffer; port?: number | undefined },
): Promise<Listener> {
  const { cert, key, port = 0 } = options;
  const settings = { requestTimeout: 0, keepAliveTimeout: 60_000, maxHeaderSize: 64 * 1024 };
  const answering = new WeakMap<Duplex, ServerResponse<IncomingMessage>>();
  const track: RequestListener = (request, response) => {
    answering.set(request.socket, response);
    handler(request, response);
  };
  const http = createHttpServer(settings, track);
  const https = createHttpsServer({ ...settings, cert, key }, track);
  for (const server of [http, https]) {
    // The handler says when a body is welcome, so that a refused one is never sent.
    server.on("checkContinue", track);
    server.on("clientError", (_error, socket) => {
      const response = answering.get(socket);
      // What follows a complete request is no request: as with OSS, a body beyond its Content-Length takes nothing from the answer.
      if (response?.req.complete && !response.writableFinished) response.once("close", () => socket.destroy());
      else socket.destroy();
    });
  }
  const sockets = new Set<Socket>();
  const front = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // A client that goes away mid-request is its own affair; the request's handler sees the abort.
    socket.on("error", () => socket.destroy());
    socket.once("readable", () => {
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
            front.close((error) => (error === undefined ? closed() : failed(error)));
            for (const socket of sockets) socket.destroy();
          }),
      });
    });
  });
}
