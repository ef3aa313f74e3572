import { BridgeError } from "../../../../runtime/stores/errors";
import { openPusher } from "../push-fixture";

const down = async () => {
  throw new BridgeError("Unavailable", "head", "the store does not answer");
};

test("the destination is down: after three failed calls the key goes to the outage queue, and the execution ends", async () => {
  const { put, run, parked, queued, outage, counted, clock } = openPusher({ destination: { head: down } });
  await put("hello");
  const firstSeenMs = clock.now();
  const { steps, state } = await run();
  expect(steps).toEqual(["first", "wait", "wait"]);
  expect(state).toMatchObject({ result: "waiting", reason: "the store does not answer", attempt: 0 });
  expect(outage.messages.map(({ look }) => look)).toEqual([
    {
      ...{ key: "a.txt", firstSeenMs, failures: 0, waits: 3 },
      last: { reason: "the store does not answer", place: "destination", store: "alicloud:destination", atMs: clock.now() },
    },
  ]);
  expect([parked, queued]).toEqual([[], []]);
  expect(counted).toMatchObject({ Waited: 3 });
});

test("while the breaker is open, a key goes to the outage queue once, and the destination is not asked", async () => {
  let asked = 0;
  const head = async () => {
    asked += 1;
    return await down();
  };
  const { put, run, outage, stateAt, clock } = openPusher({ destination: { head } });
  await put("hello");
  await run();
  expect(asked).toBe(3);
  for (let times = 0; times < 20; times++) {
    clock.advance(30 * 60_000);
    expect((await run(stateAt("inspect", { key: `${times}.txt` }))).steps).toEqual(["first"]);
  }
  expect([asked, outage.messages.length]).toEqual([3, 21]);
});

test("a source that does not answer is waited for: it never opens the breaker, and counts as no failure", async () => {
  const { run, outage, queued, parked } = openPusher({ source: { head: down } });
  const { steps, state } = await run();
  expect(steps.filter((one) => one === "wait")).toHaveLength(5);
  expect(state).toMatchObject({ result: "waiting", attempt: 0 });
  expect(queued).toEqual([{ look: expect.objectContaining({ failures: 0, waits: 6 }), delaySeconds: 120 }]);
  expect(queued[0]?.look.last).toMatchObject({ place: "source", store: "alicloud:source" });
  expect([outage.messages, parked]).toEqual([[], []]);
});

test("a refusal of the destination is an answer: it counts as a failure, and never opens the breaker", async () => {
  const head = async () => {
    throw new BridgeError("PermissionDenied", "head", "not allowed");
  };
  const { put, run, outage, parked } = openPusher({ destination: { head } });
  await put("hello");
  expect((await run()).state).toMatchObject({ result: "parked", reason: "given up after 3 failed attempts: not allowed" });
  expect([outage.messages.length, parked.map(({ look }) => look.failures)]).toEqual([0, [3]]);
});

test("a destination that refuses the host is an outage: keys wait with the reason, and none is parked", async () => {
  const head = async () => {
    throw new BridgeError("HostRefused", "head", "set customDomain");
  };
  const { put, run, outage, parked } = openPusher({ destination: { head } });
  await put("hello");
  expect((await run()).state).toMatchObject({ result: "waiting", attempt: 0 });
  expect(outage.messages).toHaveLength(1);
  expect(parked).toEqual([]);
});

test("a key that no queue takes stays in its execution", async () => {
  const enqueue = async () => {
    throw new BridgeError("Unavailable", "sendMessage", "no answer");
  };
  const { again, stateAt, queued } = openPusher({ source: { head: down }, queue: { enqueue } });
  expect(await again(stateAt("inspect", { waits: 9 }))).toMatchObject({ next: "wait", waitSeconds: 300 });
  expect(queued).toEqual([]);
});
