import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { DEAD_LETTERS, type FcFixture, GATED, REGION, startFixture, until } from "./fc-fixture";

let fixture: FcFixture;
beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.stop());

const send = (name: string, event: unknown) => fixture.fc.invokeAsync(REGION, name, Buffer.from(JSON.stringify(event)));
const startsOf = (name: string) => fixture.fc.logs(REGION, name).filter((line) => line.startsWith("FC Invoke Start"));

test("an accepted invocation runs; a success without a destination sends nothing", async () => {
  await fixture.create("works", "exports.handler = async (event) => console.log(event.toString());");
  fixture.fc.putAsyncInvokeConfig(REGION, "works", { onFailure: DEAD_LETTERS });
  const { requestId } = await send("works", { a: 1 });
  await fixture.fc.idle();
  expect(startsOf("works")).toEqual([`FC Invoke Start RequestId: ${requestId}`]);
  expect(fixture.fc.logs(REGION, "works").join("\n")).toContain('{"a":1}');
  expect(fixture.sent).toEqual([]);
});

test.each([
  [undefined, 4],
  [0, 1],
  [8, 9],
])("with maxAsyncRetryAttempts %p it runs %i times, then goes to the failure destination", async (attempts, runs) => {
  await fixture.create("fails", "exports.handler = async () => { throw new Error('oops'); };");
  const retries = attempts === undefined ? {} : { maxAsyncRetryAttempts: attempts };
  fixture.fc.putAsyncInvokeConfig(REGION, "fails", { onFailure: DEAD_LETTERS, ...retries });
  const { requestId } = await send("fails", { key: "käse" });
  await fixture.fc.idle();
  expect(startsOf("fails")).toHaveLength(runs);
  expect(new Set(startsOf("fails"))).toEqual(new Set([`FC Invoke Start RequestId: ${requestId}`]));
  expect(fixture.sent).toMatchObject([{ region: REGION, queueName: "dead-letters" }]);
  const { responsePayload, ...envelope } = JSON.parse(fixture.sent[0]?.body.toString() ?? "");
  expect(envelope).toEqual({
    timestamp: fixture.clock.now,
    requestContext: {
      requestId,
      functionArn: `acs:fc:${REGION}:3333333333333333:functions/fails`,
      condition: "UnhandledInvocationError",
      approximateInvokeCount: runs,
    },
    requestPayload: '{"key":"käse"}',
    responseContext: { statusCode: 200, functionError: "UnhandledInvocationError" },
  });
  expect(JSON.parse(responsePayload)).toMatchObject({ errorMessage: "oops", errorType: "Error" });
  // Once when the configuration was made, once when it was used.
  expect(fixture.calls.map(({ action, resource, allowed }) => [action, resource, allowed])).toEqual([
    ["mns:SendMessage", DEAD_LETTERS, true],
    ["mns:SendMessage", DEAD_LETTERS, true],
  ]);
});

test("a success is sent to its destination", async () => {
  await fixture.create("succeeds", "exports.handler = async () => 'done';");
  fixture.fc.putAsyncInvokeConfig(REGION, "succeeds", { onSuccess: DEAD_LETTERS });
  await send("succeeds", {});
  await fixture.fc.idle();
  expect(JSON.parse(fixture.sent[0]?.body.toString() ?? "")).toMatchObject({
    requestContext: { condition: "", approximateInvokeCount: 1 },
    responseContext: { functionError: "" },
    responsePayload: "done",
  });
});

test("kill -9 during an invocation uses up one attempt and loses nothing", async () => {
  await fixture.create(
    "killed",
    `const { existsSync, writeFileSync } = require("node:fs");
    exports.handler = async (event) => {
      const { marker } = JSON.parse(event);
      if (existsSync(marker)) return console.log("done");
      writeFileSync(marker, "");
      await new Promise(() => setInterval(() => {}, 1000));
    };`,
  );
  const marker = join(fixture.runDir, "marker");
  await send("killed", { marker });
  await until(() => existsSync(marker));
  process.kill(fixture.fc.workers()[0]?.pid ?? 0, "SIGKILL");
  await fixture.fc.idle();
  expect(startsOf("killed")).toHaveLength(2);
  expect(fixture.fc.logs(REGION, "killed").filter((line) => line.endsWith("done"))).toHaveLength(1);
});

test("an event that waits longer than its age goes to the failure destination without running", async () => {
  await fixture.create("waits", "exports.handler = async () => 'x';");
  fixture.fc.putAsyncInvokeConfig(REGION, "waits", { onFailure: DEAD_LETTERS, maxAsyncEventAgeInSeconds: 60 });
  fixture.fc.putConcurrency(REGION, "waits", 0);
  await send("waits", { n: 1 });
  await expect(fixture.fc.invoke(REGION, "waits", Buffer.alloc(0))).rejects.toMatchObject({ status: 429 });
  fixture.clock.now += 60_001;
  await send("waits", { n: 2 });
  fixture.fc.putConcurrency(REGION, "waits", 1);
  await fixture.fc.idle();
  expect(startsOf("waits")).toHaveLength(1);
  expect(fixture.sent.map(({ body }) => JSON.parse(body.toString()))).toMatchObject([
    {
      requestContext: { condition: "EventAgeExceeded", approximateInvokeCount: 0 },
      requestPayload: '{"n":1}',
      responsePayload: "",
    },
  ]);
});

test("more than 128 KB and a missing function are refused", async () => {
  await fixture.create("large", "exports.handler = async (event) => console.log(event.length);");
  await fixture.fc.invokeAsync(REGION, "large", Buffer.alloc(128 * 1024));
  await expect(fixture.fc.invokeAsync(REGION, "large", Buffer.alloc(128 * 1024 + 1))).rejects.toMatchObject({
    status: 400,
    code: "EntityTooLarge",
    message: expect.stringContaining("131072"),
  });
  await expect(send("missing", {})).rejects.toMatchObject({ code: "FunctionNotFound" });
  await fixture.fc.idle();
});

test.each([
  ["acs:fc:cn-shanghai:3333333333333333:functions/other", /not served here/],
  ["acs:mns:cn-shanghai:3333333333333333:/queues/dead-letters", /not served here/],
  ["acs:mns:cn-shanghai:1:/queues/dead-letters/messages", /another account/],
  ["acs:mns:cn-shanghai:3333333333333333:/queues/other/messages", /does not allow mns:SendMessage/],
])("the destination %s is refused", async (onFailure, message) => {
  await fixture.create("destination", "exports.handler = async () => 'x';");
  expect(() => fixture.fc.putAsyncInvokeConfig(REGION, "destination", { onFailure })).toThrow(message);
  expect(fixture.fc.getAsyncInvokeConfig(REGION, "destination")).toBeUndefined();
});

test.each<[string, Partial<Parameters<typeof startFixture>[0]>, (fixture: FcFixture) => void]>([
  ["the role may no longer send", {}, ({ ram }) => Object.assign(ram.roles.get("function") ?? {}, { allows: [] })],
  [
    "the queue refuses",
    {
      send: () => {
        throw new Error("MessageTooLong");
      },
    },
    () => {},
  ],
])("a lost result is reported when %s", async (_, options, breakIt) => {
  const own = await startFixture(options);
  try {
    await own.create("loses", "exports.handler = async () => { throw new Error('oops'); };");
    own.fc.putAsyncInvokeConfig(REGION, "loses", { onFailure: DEAD_LETTERS, maxAsyncRetryAttempts: 0 });
    breakIt(own);
    await own.fc.invokeAsync(REGION, "loses", Buffer.alloc(0));
    await own.fc.idle();
    expect(own.failures).toEqual([expect.objectContaining({ message: expect.stringMatching(/result of 1-\S+ is lost: /) })]);
    expect(own.fc.logs(REGION, "loses").at(-1)).toMatch(/^FC Destination Error/);
  } finally {
    await own.stop();
  }
});

test("invocations of a deleted function are dropped, and stop sends nothing", async () => {
  const slow = await startFixture({ retryBaseMs: 3_600_000 });
  for (const name of ["deleted", "stopped"]) {
    await slow.create(name, "exports.handler = async () => { throw new Error('oops'); };");
    slow.fc.putAsyncInvokeConfig(REGION, name, { onFailure: DEAD_LETTERS });
    await slow.fc.invokeAsync(REGION, name, Buffer.alloc(0));
    await until(() => slow.fc.logs(REGION, name).some((line) => line.startsWith("FC Invoke End")));
  }
  await slow.create("running", GATED);
  slow.fc.putAsyncInvokeConfig(REGION, "running", { onFailure: DEAD_LETTERS, maxAsyncRetryAttempts: 0 });
  await slow.fc.invokeAsync(REGION, "running", Buffer.from('{"gate":"/none"}'));
  await until(() => slow.fc.logs(REGION, "running").some((line) => line.endsWith("started")));
  await slow.fc.deleteFunction(REGION, "deleted");
  await slow.stop();
  await slow.fc.idle();
  expect(slow.sent).toEqual([]);
  expect(slow.failures).toEqual([]);
});

test("invocations beyond the backlog are refused, at the anonymous door too, until others have finished", async () => {
  const small = await startFixture({ asyncBacklogBytes: 300 * 1024 });
  try {
    await small.create("waits", GATED);
    const gate = join(small.runDir, "gate");
    const event = Buffer.from(JSON.stringify({ gate, filler: "x".repeat(90 * 1024) }));
    const enqueue = () => small.fc.invokeAsync(REGION, "waits", event);
    for (let count = 0; count < 3; count++) await enqueue();
    const refused = { status: 429, code: "ResourceExhausted" };
    await expect(enqueue()).rejects.toMatchObject(refused);
    const { httpTrigger } = small.fc.createTrigger(REGION, "waits", {
      ...{ triggerName: "http", triggerType: "http", qualifier: "LATEST" },
      triggerConfig: JSON.stringify({ authType: "anonymous", methods: ["POST"] }),
    });
    const { status } = await post(httpTrigger?.urlInternet ?? "", readFileSync(small.caPath), event);
    expect(status).toBe(429);
    writeFileSync(gate, "");
    await small.fc.idle();
    await enqueue();
    await small.fc.idle();
  } finally {
    await small.stop();
  }
});

/** Asks the HTTP trigger for an asynchronous invocation. */
const post = (url: string, ca: Buffer, body: Buffer) =>
  new Promise<{ status: number | undefined }>((resolve, reject) => {
    const sent = request(url, { method: "POST", ca, headers: { "x-fc-invocation-type": "Async" } }, (response) => {
      response.resume().once("end", () => resolve({ status: response.statusCode }));
    });
    sent.once("error", reject).end(body);
  });
