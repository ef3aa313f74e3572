import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface DroppingProxy {
  port: number;
  /** Connections of clients so far. */
  connections(): number;
  /**
   * Forgets the open connections, as a firewall does: the client hears nothing until it sends, and then gets a reset. What it sends reaches
   * nobody.
   */
  drop(): void;
  close(): Promise<void>;
}

/** Passes bytes on to a port of 127.0.0.1. */
export async function startDroppingProxy(targetPort: number): Promise<DroppingProxy> {
  const pairs = new Map<Socket, Socket>();
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    const target = connect(targetPort, "127.0.0.1");
    pairs.set(client, target);
    client.pipe(target).pipe(client);
    for (const socket of [client, target]) socket.on("error", () => undefined);
    client.once("close", () => target.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    drop() {
      for (const [client, target] of pairs) {
        client.unpipe(target);
        target.unpipe(client);
        target.destroy();
        client.once("data", () => client.resetAndDestroy());
        client.resume();
      }
      pairs.clear();
    },
    async close() {
      for (const [client, target] of pairs) {
        client.destroy();
        target.destroy();
      }
      server.close();
      await once(server, "close");
    },
  };
}
