/** The page's server over HTTP, on a bridge in memory. */
import { request } from "node:http";
import { UsageError } from "../../../operator/command";
import type { Snapshot } from "../../../operator/overview/snapshot";
import { MAX_UPLOAD_BYTES } from "../../../operator/watch/routes";
import { type PageOptions, type ServedPage, servePage } from "../../../operator/watch/server";
import type { TaskState } from "../../../operator/watch/tasks";
import { BridgeError } from "../../../runtime/stores/errors";
import { ACCESS, CLOCK, FakeBridge, pullRaw } from "../backfill/fixture";

let page: ServedPage | undefined;
let faults: unknown[] = [];
afterEach(async () => {
  await page?.close();
  page = undefined;
});

const HTML = { content: Buffer.from("<!doctype html>"), contentType: "text/html; charset=utf-8" };

async function open(bridge = new FakeBridge(pullRaw()), options: Partial<PageOptions> = {}): Promise<FakeBridge> {
  faults = [];
  page = await servePage({
    ...{
      bridge,
      access: { source: ACCESS, destination: ACCESS },
      local: true,
      port: 0,
      files: new Map([["/", HTML]]),
      now: CLOCK.now,
    },
    ...{ signal: new AbortController().signal, pace: { everyMs: 20, slowEveryMs: 20 } },
    onFault: (error) => faults.push(error),
    ...options,
  });
  return bridge;
}

interface Answered {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

/** `fetch` sets Host and Origin itself, so this is the plain client. */
function ask(
  method: string,
  path: string,
  { headers = {}, body = "", token = tokenOf() }: { headers?: Record<string, string>; body?: string; token?: string } = {},
): Promise<Answered> {
  const { port, host } = new URL(page?.url ?? "");
  const own = { host, authorization: `Bearer ${token}`, ...(method === "GET" ? {} : { origin: `http://${host}` }) };
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, method, path, headers: { ...own, ...headers } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(parts).toString() }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const tokenOf = (): string => new URL(page?.url ?? "http://none/#token=").hash.slice("#token=".length);
const json = ({ text }: Answered) => JSON.parse(text) as Record<string, unknown>;

/** The first events of the stream, until `until` accepts one. */
async function events(until: (event: string, data: unknown) => boolean): Promise<[string, unknown][]> {
  const { origin } = new URL(page?.url ?? "");
  const ended = new AbortController();
  const response = await fetch(`${origin}/api/events`, {
    headers: { authorization: `Bearer ${tokenOf()}` },
    signal: ended.signal,
  });
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const seen: [string, unknown][] = [];
  let rest = "";
  try {
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      const texts = (rest + Buffer.from(part).toString()).split("\n\n");
      rest = texts.pop() ?? "";
      for (const text of texts) {
        const [, event = "", data = "null"] = /^event: (\w+)\ndata: (.*)$/.exec(text) ?? [];
        seen.push([event, JSON.parse(data)]);
        if (until(event, JSON.parse(data))) return seen;
      }
    }
    return seen;
  } finally {
    ended.abort();
  }
}

test("the page needs no token, and every answer has the headers that keep others out", async () => {
  await open();
  const { status, headers, text } = await ask("GET", "/", { token: "" });
  expect([status, text]).toEqual([200, "<!doctype html>"]);
  expect(headers).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": expect.stringContaining("default-src 'none'"),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  });
  expect((await ask("GET", "/nope")).headers).toMatchObject({ "x-content-type-options": "nosniff" });
});

test("it listens on the loopback address, and the address holds the token behind #", async () => {
  await open();
  expect(page?.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{43}$/);
});

test("the address for a browser holds a code that is exchanged for the token once", async () => {
  await open();
  const address = new URL(page?.urlForBrowser() ?? "");
  expect(address.href).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#code=[\w-]{43}$/);
  expect(address.href).not.toContain(tokenOf());
  const code = address.hash.slice("#code=".length);
  // It opens nothing but the exchange.
  expect((await ask("GET", "/api/key?key=k", { token: code })).status).toBe(401);
  expect((await ask("POST", "/api/session", { token: code, headers: { origin: "https://evil.example" } })).status).toBe(403);
  expect((await ask("POST", "/api/session", { token: tokenOf() })).status).toBe(401);
  const exchanged = await ask("POST", "/api/session", { token: code });
  expect([exchanged.status, json(exchanged)]).toEqual([200, { token: tokenOf() }]);
  expect((await ask("POST", "/api/session", { token: code })).status).toBe(401);
  expect((await ask("GET", "/api/session", { token: code })).status).toBe(401);
});

test.each([
  ["without a token", "/api/key?key=k", { token: "" }, 401],
  ["with a token of another run", "/api/events", { token: "x".repeat(43) }, 401],
  ["with a foreign host", "/api/key?key=k", { headers: { host: "evil.example" } }, 403],
  ["from another page", "/api/key?key=k", { headers: { origin: "https://evil.example" } }, 403],
])("data %s is refused", async (_what, path, options, status) => {
  const bridge = await open();
  await bridge.put("k");
  const answer = await ask("GET", path, options);
  expect(answer.status).toBe(status);
  expect(Object.keys(json(answer))).toEqual(["error"]);
});

test("a change must come from the page", async () => {
  const bridge = await open();
  const answer = await ask("PUT", "/api/objects?key=k", { body: "abc", headers: { origin: "http://127.0.0.1:1" } });
  expect(answer.status).toBe(403);
  expect(await bridge.from.head("k")).toBeUndefined();
});

test("the stream begins with the stack and its tasks, and sends snapshots as long as it is open", async () => {
  await open();
  let snapshots = 0;
  const seen = await events((event) => event === "snapshot" && ++snapshots === 3);
  expect(seen[0]).toEqual([
    "hello",
    {
      ...{
        stack: "dev",
        mode: "pull",
        local: true,
        command: "npm run bridge --",
        maxUploadBytes: MAX_UPLOAD_BYTES,
        nowMs: CLOCK.now(),
        everyMs: 20,
      },
      tasks: ["count", "verify"].map((name) => ({ name, state: "idle" })),
    },
  ]);
  const [, snapshot] = seen.at(-1) ?? [];
  expect(snapshot as Snapshot).toMatchObject({ source: { reachable: true }, backlog: { queued: 0 } });
});

test("a key: its status, with the remedy", async () => {
  const bridge = await open();
  await bridge.put("a b/é&?", "abc");
  bridge.deadLetters = async () => ({
    letters: [{ key: "a b/é&?", reason: "too many tags", parkedAt: undefined }],
    complete: true,
  });
  const answer = await ask("GET", `/api/key?key=${encodeURIComponent("a b/é&?")}`);
  expect(answer.status).toBe(200);
  expect(json(answer)).toMatchObject({
    ...{ key: "a b/é&?", status: "FAILED", reason: "too many tags", sizeBytes: 3 },
    remedy: { id: "givenUp" },
  });
  expect((await ask("GET", "/api/key?key=")).status).toBe(400);
  expect((await ask("GET", `/api/key?key=${"k".repeat(1025)}`)).status).toBe(400);
});

test("a side that fails is an error of the cloud, a bug one of the program", async () => {
  const bridge = await open();
  bridge.from.head = () => Promise.reject(new BridgeError("Unavailable", "head", "S3 answered head with ECONNREFUSED"));
  expect(await ask("GET", "/api/key?key=k")).toMatchObject({
    status: 502,
    text: '{"error":"S3 answered head with ECONNREFUSED"}',
  });
  expect(faults).toEqual([]);
  bridge.from.head = () => Promise.reject(new TypeError("a bug"));
  expect(await ask("GET", "/api/key?key=k")).toMatchObject({ status: 500 });
  expect(faults).toEqual([expect.any(TypeError)]);
});

describe("writing an object", () => {
  test("into a local stack, with its type", async () => {
    const bridge = await open();
    const headers = { "content-type": "text/plain" };
    expect(await ask("PUT", "/api/objects?key=new%2Fone", { body: "hello", headers })).toMatchObject({ status: 201 });
    expect(await bridge.from.head("new/one")).toMatchObject({ sizeBytes: 5, headers: { contentType: "text/plain" } });
  });

  test("is refused for a deployed stack", async () => {
    const bridge = await open(undefined, { local: false });
    expect((await ask("PUT", "/api/objects?key=k", { body: "x" })).status).toBe(403);
    expect(await bridge.from.head("k")).toBeUndefined();
    const [[, hello]] = (await events((event) => event === "hello")) as [[string, unknown]];
    expect(hello).not.toHaveProperty("maxUploadBytes");
  });

  test("is refused for a key that the bridge does not carry, and for one that is too large", async () => {
    await open(new FakeBridge(pullRaw({ scope: { prefixes: ["in/"] } })));
    const answer = await ask("PUT", "/api/objects?key=out", { body: "x" });
    expect(answer).toMatchObject({ status: 422, text: expect.stringContaining("the bridge does not replicate this key") });
    const headers = { "content-length": String(MAX_UPLOAD_BYTES + 1), expect: "100-continue" };
    const large = ask("PUT", "/api/objects?key=in/k", { headers }).catch((error: NodeJS.ErrnoException) => error.code);
    expect(await large).toMatchObject({ status: 413 });
  });
});

describe("tasks", () => {
  test("count: every object by its status, and what to do", async () => {
    const bridge = await open();
    await bridge.put("across", "abc");
    await bridge.replicate("across");
    await bridge.put("missing");
    expect((await ask("POST", "/api/tasks/count")).status).toBe(202);
    const seen = await events((event, data) => JSON.stringify(data).includes('"state":"done"') && event !== "snapshot");
    const [, data] = seen.at(-1) ?? [];
    const tasks = (Array.isArray(data) ? data : (data as { tasks: unknown[] }).tasks) as { result: unknown }[];
    expect(tasks[0]?.result).toMatchObject({
      ...{ objects: 2, bytes: 4 },
      statuses: { COMPLETED: { objects: 1, bytes: 3 }, PENDING: { objects: 1 } },
      troubles: [{ status: "PENDING", example: "missing" }],
    });
  });

  test("probe is offered only where there are probers, and redrive where there is a queue of letters", async () => {
    const bridge = new FakeBridge(pullRaw());
    bridge.outputs = {
      ...bridge.outputs,
      ...{ proberFunctionNames: { source: "s", destination: "d" }, deadLetterQueueUrl: "https://sqs/letters" },
    };
    await open(bridge);
    const [[, hello]] = (await events((event) => event === "hello")) as [[string, { tasks: { name: string }[] }]];
    expect(hello.tasks.map(({ name }) => name)).toEqual(["count", "verify", "probe", "redrive"]);
  });

  /** The task after its end. */
  async function ended(name: string): Promise<TaskState | undefined> {
    const find = (data: unknown) => {
      const tasks = Array.isArray(data) ? data : (data as { tasks?: unknown[] }).tasks;
      return ((tasks ?? []) as TaskState[]).find((task) => task.name === name && /done|failed/.test(task.state));
    };
    const seen = await events((event, data) => event !== "snapshot" && find(data) !== undefined);
    return find(seen.at(-1)?.[1]);
  }

  test("verify: the differences of keys with a prefix", async () => {
    const bridge = await open(undefined, { now: () => CLOCK.now() + 3_600_000 });
    for (const key of ["in/across", "in/missing", "out/missing"]) await bridge.put(key);
    await bridge.replicate("in/across");
    expect((await ask("POST", "/api/tasks/verify", { body: '{"prefix":"in/"}' })).status).toBe(202);
    expect(await ended("verify")).toMatchObject({
      ...{ state: "done", input: { prefix: "in/" } },
      result: {
        ...{ prefix: "in/", bytes: false, faults: 1, counts: { compared: { objects: 2 }, missing: { objects: 1 } } },
        listed: [{ kind: "missing", key: "in/missing" }],
      },
    });
  });

  test("verify: a side that is down is a failure, and not a result", async () => {
    const bridge = await open();
    bridge.to.list = () => {
      throw new BridgeError("Unavailable", "list", "S3 answered list with ECONNREFUSED");
    };
    await ask("POST", "/api/tasks/verify");
    expect(await ended("verify")).toMatchObject({
      state: "failed",
      error: expect.stringMatching(/^the destination bucket .*ECONNREFUSED/),
    });
    expect(faults).toEqual([]);
  });

  test("redrive: only letters with the reason, as the page groups them", async () => {
    const bridge = new FakeBridge(pullRaw());
    bridge.outputs = { ...bridge.outputs, deadLetterQueueUrl: "https://sqs/letters" };
    const letters = ["denied (request 12345678abc)", "denied (request 87654321abc)", "too many tags"].map((reason, index) => ({
      ...{ key: String(index), reason, parkedAt: undefined },
    }));
    const sent: string[] = [];
    bridge.redrive = async ({ select }) => {
      const chosen = letters.filter((letter) => select([letter]));
      sent.push(...chosen.map(({ key }) => key));
      return { handed: chosen.length, left: letters.length - chosen.length, complete: true };
    };
    bridge.deadLetters = async () => ({ letters, complete: true });
    await open(bridge);
    const [, snapshot] = (await events((event) => event === "snapshot")).at(-1) as [string, Snapshot];
    const [group] = snapshot.letters.groups;
    expect(group).toMatchObject({ letters: 2 });
    await ask("POST", "/api/tasks/redrive", { body: JSON.stringify({ reason: group?.reason }) });
    expect(await ended("redrive")).toMatchObject({ state: "done", result: { handed: 2, left: 1 } });
    expect(sent).toEqual(["0", "1"]);
  });

  test.each([
    ["no JSON", "reason"],
    ["a field that it has not", '{"stack":"other"}'],
    ["a prefix that is no text", '{"prefix":1}'],
  ])("an input that is %s is refused", async (_what, body) => {
    await open();
    expect((await ask("POST", "/api/tasks/verify", { body })).status).toBe(400);
  });

  test("an unknown task, and one that runs already, are refused; a running one is cancelled", async () => {
    const bridge = await open();
    bridge.from.list = () => {
      throw new BridgeError("Unavailable", "list", "no answer");
    };
    expect((await ask("POST", "/api/tasks/redrive")).status).toBe(409);
    expect((await ask("POST", "/api/tasks/count")).status).toBe(202);
    expect((await ask("DELETE", "/api/tasks/count")).status).toBe(202);
  });
});

test("a path that is not there, and another method", async () => {
  await open();
  for (const path of ["/api/nope", "/../package.json", "//", "/app.js?x=1"]) expect((await ask("GET", path)).status).toBe(404);
  expect((await ask("POST", "/")).status).toBe(404);
});

test("close ends the streams, and the reader behind them", async () => {
  const bridge = await open();
  let reads = 0;
  bridge.queued = async () => ++reads;
  let greet: () => void = () => undefined;
  const greeted = new Promise<void>((resolve) => {
    greet = resolve;
  });
  const stream = events((event) => {
    if (event === "snapshot") greet();
    return false;
  });
  await greeted;
  await page?.close();
  page = undefined;
  // The connection ends with or without an error.
  await Promise.allSettled([stream]);
  const before = reads;
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(reads).toBe(before);
});

test("a port that another program has: the port and the way out", async () => {
  await open();
  const port = Number(new URL(page?.url ?? "").port);
  const access = { source: ACCESS, destination: ACCESS };
  const options = { bridge: new FakeBridge(pullRaw()), access, local: true, port, files: new Map(), onFault: () => undefined };
  await expect(servePage({ ...options, signal: new AbortController().signal })).rejects.toThrow(
    new UsageError(`port ${port} is taken by another program: name another one, or leave out --port to take a free one`),
  );
});
