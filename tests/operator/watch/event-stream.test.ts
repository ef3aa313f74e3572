import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { EventStream } from "../../../operator/watch/event-stream";

let server: Server;
const sockets: Socket[] = [];
const events = new EventStream();
const opened: ServerResponse[] = [];
const closed: ServerResponse[] = [];
beforeAll(async () => {
  server = createServer((_request, response) => {
    opened.push(response);
    events.open(response, {}, () => closed.push(response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, "close");
});

async function view(): Promise<{ socket: Socket; response: ServerResponse }> {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  sockets.push(socket);
  socket.on("error", () => undefined);
  socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await once(socket, "readable");
  return { socket, response: opened.at(-1) as ServerResponse };
}

test("a viewer that does not read is disconnected before much waits for it, and others go on", async () => {
  const still = await view();
  const other = await view();
  other.socket.resume();
  let received = 0;
  other.socket.on("data", (bytes: Buffer) => {
    received += bytes.length;
  });
  const event = { text: "x".repeat(256 * 1024) };
  let sent = 0;
  let most = 0;
  // The system itself takes a few MiB.
  while (!still.response.destroyed && sent < 400) {
    events.send("tasks", event);
    sent += 1;
    most = Math.max(most, still.response.writableLength);
    await setImmediate();
  }
  expect(still.response.destroyed).toBe(true);
  expect(most).toBeLessThan(5 * 1024 ** 2);
  expect(other.response.destroyed).toBe(false);
  while (received < sent * event.text.length) await once(other.socket, "data");
  expect(closed).toEqual([still.response]);
});
