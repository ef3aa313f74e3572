import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { createAgent } from "../../../runtime/http/agent";

let server: Server;
let connections = 0;
beforeEach(async () => {
  connections = 0;
  server = createServer((_request, response) => response.end("ok"));
  server.on("connection", () => connections++);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

const port = () => (server.address() as AddressInfo).port;

test("a connection is used again after a pause that the server allows", async () => {
  // The server sets no limit. The default of undici would close the connection after 4 s.
  server.keepAliveTimeout = 0;
  jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask"] });
  const agent = createAgent();
  try {
    for (let request = 0; request < 2; request++) {
      const { body } = await agent.request({ origin: `http://127.0.0.1:${port()}`, path: "/", method: "GET" });
      await body.text();
      // undici takes a connection back one turn of the event loop after its answer.
      await setImmediate();
      jest.advanceTimersByTime(60_000);
    }
    expect(connections).toBe(1);
  } finally {
    jest.useRealTimers();
    await agent.destroy();
  }
});

test("names are resolved by the given function", async () => {
  const asked: string[] = [];
  const agent = createAgent({
    lookup: (name, options, done) => {
      asked.push(name);
      if (options.all) done(null, [{ address: "127.0.0.1", family: 4 }]);
      else done(null, "127.0.0.1", 4);
    },
  });
  try {
    const { body } = await agent.request({ origin: `http://store.example:${port()}`, path: "/", method: "GET" });
    expect(await body.text()).toBe("ok");
    expect(asked).toEqual(["store.example"]);
  } finally {
    await agent.destroy();
  }
});
