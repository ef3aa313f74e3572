/** The requests of `npm start -- --redeploy`, over the loopback address. */
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askForRedeploy, changesText, findRedeploy, type ServedRedeploys, serveRedeploys } from "../../../local/cli/redeploy";
import type { ChangeSummary } from "../../../local/engine";

const { signal } = new AbortController();
let served: ServedRedeploys | undefined;
let listeners: Set<(line: string) => void>;

async function serve(redeploy: (print: (line: string) => void) => Promise<ChangeSummary>): Promise<ServedRedeploys> {
  listeners = new Set();
  const print = (line: string) => {
    for (const listen of listeners) listen(line);
  };
  served = await serveRedeploys({
    redeploy: () => redeploy(print),
    onEngineLine(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  });
  return served;
}

afterEach(() => served?.close());

test("the lines of the engine come as it prints them, and then its changes", async () => {
  const address = await serve(async (print) => {
    print("Updating (dev):");
    print(" + a bucket 中 created");
    return { create: 1, same: 70 };
  });
  const lines: string[] = [];
  const changes = await askForRedeploy(address, { onLine: (line) => void lines.push(line), signal });
  expect({ lines, changes }).toEqual({
    lines: ["Updating (dev):", " + a bucket 中 created"],
    changes: { create: 1, same: 70 },
  });
  expect(listeners.size).toBe(0);
  expect(changesText(changes)).toBe("1 created, 70 the same");
});

test("a deployment that fails: its message, and the next one may begin", async () => {
  let attempts = 0;
  const address = await serve(async () => {
    attempts += 1;
    if (attempts === 1) throw new Error("scope.prefixes: too many");
    return { update: 2 };
  });
  const ask = () => askForRedeploy(address, { onLine: () => undefined, signal });
  await expect(ask()).rejects.toThrow("scope.prefixes: too many");
  expect(await ask()).toEqual({ update: 2 });
});

test("one at a time; it goes on if the one who asked goes away, and the end waits for it", async () => {
  let finish: () => void = () => undefined;
  let isDone = false;
  const address = await serve(async (print) => {
    print("begun");
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    isDone = true;
    return {};
  });
  const leaving = new AbortController();
  const first = askForRedeploy(address, { onLine: () => leaving.abort(), signal: leaving.signal });
  await expect(first).rejects.toThrow(/abort/);
  await expect(askForRedeploy(address, { onLine: () => undefined, signal })).rejects.toThrow("a redeployment runs already");
  const closing = address.close();
  served = undefined;
  finish();
  await closing;
  expect(isDone).toBe(true);
});

test.each([
  ["without the token", { authorization: "Bearer other" }, "POST", 401],
  ["from a web page", { origin: "http://evil.example" }, "POST", 403],
  ["with another method", {}, "GET", 404],
])("a request %s is refused", async (_name, headers, method, status) => {
  const { url, token } = await serve(() => Promise.reject(new Error("deployed")));
  const sent = request(url, { method, headers: { authorization: `Bearer ${token}`, ...headers } }).end();
  const [answer] = await once(sent, "response");
  expect(answer.statusCode).toBe(status);
  answer.resume();
});

test("the address is in the file of the stack that runs; without one the error says how to start it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "redeploy-"));
  const address = { url: "http://127.0.0.1:1/redeploy", token: "t" };
  const write = (pid: number) => writeFile(join(folder, "dev.json"), JSON.stringify({ pid, redeploy: address }));
  await write(process.pid);
  expect(await findRedeploy("dev", folder)).toEqual(address);
  const error = /^the stack dev does not run on this machine; start it first: npm start -- --stack dev$/;
  // No process has it: the system gives no such number.
  await write(2 ** 30);
  await expect(findRedeploy("dev", folder)).rejects.toThrow(error);
  await rm(folder, { recursive: true });
  await expect(findRedeploy("dev", folder)).rejects.toThrow(error);
});
