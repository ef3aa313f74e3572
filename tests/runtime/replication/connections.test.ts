import { type Connection, Connections } from "../../../runtime/replication/connections";
import { VirtualTime } from "../../support/virtual-time";

const turn = () => new Promise(setImmediate);

interface Link {
  latencyMs: number;
  /** Bytes that this many connections carry together in a millisecond. */
  bytesPerMs(connections: number): number;
}

/** Bodies of 100 ms each, until the time is over. Returns the connections in use at the end of each second. */
async function play(link: Link, { atMost = 32, seconds = 8 } = {}): Promise<number[]> {
  const clock = new VirtualTime();
  const connections = new Connections({ clock, atMost });
  let inUse = 0;
  let isOver = false;
  const worker = async () => {
    for (;;) {
      const connection = await connections.take();
      if (isOver) return connection.close();
      connections.answered(link.latencyMs);
      inUse++;
      await clock.sleep(100);
      inUse--;
      connection.sent();
      connection.close();
    }
  };
  const workers = Array.from({ length: 2 * atMost }, worker);
  const used: number[] = [];
  for (let ms = 0; ms < seconds * 1000; ms += 10) {
    for (let turns = 0; turns < 4; turns++) await turn();
    connections.moved(10 * link.bytesPerMs(inUse));
    if (ms % 1000 === 990) used.push(connections.current);
    clock.advance(10);
  }
  isOver = true;
  await clock.during(Promise.all(workers));
  return used;
}

test("a short link that one connection fills: it begins with two, and does not stay with more", async () => {
  const used = await play({ latencyMs: 1, bytesPerMs: () => 1000 });
  expect(used.slice(1)).toEqual([2, 2, 2, 2, 2, 2, 2]);
});

test("a long link whose connections add up: it begins with more, and grows up to the limit", async () => {
  const used = await play({ latencyMs: 150, bytesPerMs: (connections) => connections * 100 }, { atMost: 16 });
  expect(used[0]).toBe(8);
  expect(used.slice(2)).toEqual([16, 16, 16, 16, 16, 16]);
});

test("a link that carries what twelve connections carry: it does not take three times as many", async () => {
  const used = await play({ latencyMs: 150, bytesPerMs: (connections) => Math.min(connections, 12) * 100 }, { atMost: 64 });
  expect(used.at(-1)).toBe(16);
});

test("where more brought nothing it is tried again later", async () => {
  let good = false;
  const link: Link = { latencyMs: 1, bytesPerMs: (connections) => (good ? connections * 100 : 200) };
  const clock = new VirtualTime();
  const connections = new Connections({ clock, atMost: 8 });
  const second = () => {
    for (let step = 0; step < 10; step++) {
      connections.moved(100 * link.bytesPerMs(connections.current));
      clock.advance(100);
    }
  };
  for (let seconds = 0; seconds < 5; seconds++) second();
  expect(connections.current).toBe(2);
  good = true;
  for (let seconds = 0; seconds < 15; seconds++) second();
  expect(connections.current).toBe(8);
});

describe("taking a connection", () => {
  async function taken(connections: Connections, count: number): Promise<Connection[]> {
    const all: Connection[] = [];
    for (let index = 0; index < count; index++) void connections.take().then((one) => all.push(one));
    await turn();
    return all;
  }

  test("waits while as many bodies are sent as the link gets", async () => {
    const connections = new Connections({ clock: new VirtualTime(), atMost: 1 });
    const all = await taken(connections, 3);
    expect(all).toHaveLength(1);
    all[0]?.sent();
    all[0]?.sent();
    await turn();
    expect(all).toHaveLength(2);
  });

  test("waits while twice as many are begun: those that were sent wait for their answers", async () => {
    const connections = new Connections({ clock: new VirtualTime(), atMost: 1 });
    const all = await taken(connections, 3);
    all[0]?.sent();
    await turn();
    all[1]?.sent();
    await turn();
    expect(all).toHaveLength(2);
    all[0]?.close();
    all[0]?.close();
    await turn();
    expect(all).toHaveLength(3);
  });

  test("a connection that is closed counts as sent", async () => {
    const connections = new Connections({ clock: new VirtualTime(), atMost: 1 });
    const all = await taken(connections, 2);
    all[0]?.close();
    await turn();
    expect(all).toHaveLength(2);
  });
});
