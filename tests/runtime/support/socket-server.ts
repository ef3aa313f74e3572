import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface SocketServer {
  origin: string;
  /** In the order in which they were opened. */
  sockets: Socket[];
  close(): Promise<void>;
}

/** A server on loopback whose answers are the bytes that a test writes. `onRequest` runs for the bytes of each request. */
export async function startSocketServer(onRequest: (socket: Socket) => void): Promise<SocketServer> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", () => onRequest(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
