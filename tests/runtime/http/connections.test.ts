import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createAgent, MOST_CONNECTIONS } from "../../../runtime/http/agent";
import { type Connections, openConnections, type Repeat, type Sent } from "../../../runtime/http/connections";
import { LIMITS } from "../../../runtime/protocol/messages";
import { VirtualTime } from "../../support/virtual-time";
import { type DroppingProxy, startDroppingProxy } from "../support/dropping-proxy";
import { type Answer, startHttps, type TestServer } from "../support/https-server";

let server: TestServer;
let proxy: DroppingProxy;
let connections: Connections;
let clock: VirtualTime;
let answer: Answer;

beforeAll(async () => {
  server = await startHttps((seen, response) => answer(seen, response));
});
afterAll(() => server.close());
beforeEach(async () => {
  server.seen.length = 0;
  answer = (_request, response) => response.end("ok");
  clock = new VirtualTime();
  connections = openConnections({ ca: server.ca, clock });
  proxy = await startDroppingProxy(server.port);
});
afterEach(async () => {
  await connections.close();
  await proxy.close();
});

/** undici takes a connection back one turn of the event loop after its answer. */
const turn = () => new Promise(setImmediate);

async function get(repeat: Repeat = "always", origin = `https://127.0.0.1:${proxy.port}`): Promise<[string, Sent["repeated"]]> {
  const { answer, repeated } = await connections.request({ origin, path: "/", method: "GET" }, repeat);
  const text = await answer.body.text();
  await turn();
  return [text, repeated];
}

describe("a connection", () => {
  test("is used again after a minute", async () => {
    await get();
    clock.advance(60_000);
    expect(await get()).toEqual(["ok", false]);
    expect(proxy.connections()).toBe(1);
  });

  test("is not used again after its keep-alive time, and running requests on the old ones end", async () => {
    let finish = () => undefined as unknown;
    let reached = () => undefined as unknown;
    const isReached = new Promise<void>((resolve) => {
      reached = resolve;
    });
    answer = (_request, response) => {
      finish = () => response.end("slow");
      reached();
    };
    const slow = get();
    await isReached;
    answer = (_request, response) => response.end("quick");
    clock.advance(90_001);
    expect(await get()).toEqual(["quick", false]);
    expect(proxy.connections()).toBe(2);
    finish();
    expect(await slow).toEqual(["slow", false]);
  });

  test("that the server closes in a pause is noticed: no request is sent twice", async () => {
    const before = server.connections();
    await get("always", server.origin);
    await server.closeIdle();
    expect(await get("always", server.origin)).toEqual(["ok", false]);
    expect([server.seen.length, server.connections() - before]).toEqual([2, 2]);
  });
});

describe("a request on a connection that was dropped silently", () => {
  test.each<Repeat>(["always", "reused"])("is sent again on a new one (%s)", async (repeat) => {
    await get();
    proxy.drop();
    expect(await get(repeat)).toEqual(["ok", true]);
    expect([server.seen.length, proxy.connections()]).toEqual([2, 2]);
  });

  test("is not tried on its neighbours, which were dropped as well", async () => {
    await Promise.all(Array.from({ length: 5 }, () => get()));
    proxy.drop();
    const before = proxy.connections();
    expect(await get()).toEqual(["ok", true]);
    expect(proxy.connections() - before).toBe(1);
  });
});

describe("a request whose new connection breaks", () => {
  beforeEach(() => {
    answer = (_request, response) => response.destroy();
  });

  test("is sent twice if it reads", async () => {
    await expect(get("always")).rejects.toMatchObject({ code: "UND_ERR_SOCKET" });
    expect(server.seen).toHaveLength(2);
  });

  test("is sent once if it may be carried out only once", async () => {
    await expect(get("reused")).rejects.toMatchObject({ code: "UND_ERR_SOCKET" });
    expect(server.seen).toHaveLength(1);
  });
});

test.each<[string, Partial<Parameters<Connections["request"]>[0]>]>([
  ["a request that is aborted", { signal: AbortSignal.abort() }],
  ["a port that nothing listens on", { origin: "https://127.0.0.1:1" }],
])("%s is not sent again", async (_what, changes) => {
  const request = { origin: server.origin, path: "/", method: "GET" as const, ...changes };
  const before = server.connections();
  await expect(connections.request(request, "always")).rejects.toThrow();
  expect([server.seen.length, server.connections() - before]).toEqual([0, 0]);
});

describe("connections opened ahead", () => {
  const opened = async (count: number) => {
    for (const before = server.connections(); server.connections() < before + count; ) await turn();
  };

  test("serve the requests that come later, and carry nothing before", async () => {
    connections.warm(server.origin, 3);
    await opened(3);
    expect(server.seen).toHaveLength(0);
    const before = server.connections();
    await Promise.all(Array.from({ length: 3 }, () => get("always", server.origin)));
    expect([server.seen.length, server.connections() - before]).toEqual([3, 0]);
  });

  test("are as many as are missing", async () => {
    await Promise.all(Array.from({ length: 2 }, () => get("always", server.origin)));
    const before = server.connections();
    for (let times = 0; times < 2; times++) {
      connections.warm(server.origin, 3);
      while (server.connections() < before + 1) await turn();
      await turn();
    }
    await Promise.all(Array.from({ length: 3 }, () => get("always", server.origin)));
    expect(server.connections() - before).toBe(1);
  });

  test("add up where several callers need them at once, to as many as one host may have", async () => {
    connections = openConnections({ ca: server.ca, clock, connections: 5 });
    const before = server.connections();
    for (let times = 0; times < 3; times++) connections.warm(server.origin, 2);
    await opened(5);
    await Promise.all(Array.from({ length: 5 }, () => get("always", server.origin)));
    expect(server.connections() - before).toBe(5);
  });

  test("are waited for by a request that comes before they are open", async () => {
    const before = server.connections();
    connections.warm(server.origin, 1);
    expect(await get("always", server.origin)).toEqual(["ok", false]);
    expect(server.connections() - before).toBe(1);
  });

  test("that the server closed are not used", async () => {
    connections.warm(server.origin, 1);
    await opened(1);
    await server.closeIdle();
    expect(await get("always", server.origin)).toEqual(["ok", false]);
  });

  test("are not used after the keep-alive time", async () => {
    connections.warm(server.origin, 1);
    await opened(1);
    clock.advance(90_001);
    const before = server.connections();
    expect(await get("always", server.origin)).toEqual(["ok", false]);
    expect(server.connections() - before).toBe(1);
  });

  test("that cannot be opened fail no process, and the request that needs one says why", async () => {
    connections.warm("https://127.0.0.1:1", 2);
    await expect(get("always", "https://127.0.0.1:1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("end with the others", async () => {
    connections.warm(server.origin, 2);
    await opened(2);
    await connections.close();
    await server.closeIdle();
  });
});

test("the keys of one request do not wait for each other's connections", () => {
  expect(MOST_CONNECTIONS).toBe(LIMITS.notices);
});

test("a new connection resumes the session of an earlier one, also after a garbage collection", async () => {
  const agent = createAgent({ ca: server.ca });
  const fetchOne = async () => {
    const { body } = await agent.request({ origin: server.origin, path: "/", method: "GET" });
    await body.text();
    await turn();
  };
  setFlagsFromString("--expose-gc");
  try {
    await fetchOne();
    (runInNewContext("gc") as () => void)();
    await turn();
    await server.closeIdle();
    const before = server.resumed();
    await fetchOne();
    expect(server.resumed() - before).toBe(1);
  } finally {
    await agent.destroy();
  }
});
