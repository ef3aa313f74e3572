/** The calls that let the functions of a bridge in Alibaba Cloud keep keys instead of replicating them. */
import { openFunctionWays } from "../../../operator/clouds/alicloud-ways";
import { startHttps, type TestServer } from "../../runtime/support/https-server";

let server: TestServer;
let functions: Record<string, Record<string, string> | undefined>;
let updates: unknown[];

beforeEach(async () => {
  functions = {
    dispatcher: { CROSSBORDERBRIDGE_CONFIG: "{}" },
    pusher: { CROSSBORDERBRIDGE_CONFIG: "{}", TIMEOUT_SECONDS: "60" },
  };
  updates = [];
  server = await startHttps(({ method, url = "", headers, body }, response) => {
    const name = /^\/2023-03-30\/functions\/(\w+)$/.exec(url)?.[1] ?? "";
    if (!(name in functions)) {
      response.writeHead(404, { "content-type": "application/json" }).end('{"Code":"FunctionNotFound","RequestId":"r1"}');
      return;
    }
    if (method === "PUT") {
      const changed = JSON.parse(body.toString()) as { environmentVariables: Record<string, string> };
      updates.push([headers["x-acs-action"], name, ...Object.keys(changed)]);
      functions[name] = changed.environmentVariables;
    }
    response.end(JSON.stringify({ functionName: name, environmentVariables: functions[name] }));
  });
});
afterEach(() => server.close());

const ways = (...names: string[]) =>
  openFunctionWays(
    {
      ...{ cloud: "alicloud", region: "cn-shanghai", ca: server.ca, originOf: () => server.origin },
      credentials: async () => ({ accessKeyId: "LTAI", accessKeySecret: "s" }),
    },
    names,
  );

test("a pause sets a variable of each function, keeps the others, and changes nothing else", async () => {
  const both = ways("dispatcher", "pusher");
  expect((await both.read()).map(({ isOpen }) => isOpen)).toEqual([true, true]);
  await both.set(false);
  await both.set(false);
  expect(updates).toEqual([
    ["UpdateFunction", "dispatcher", "environmentVariables"],
    ["UpdateFunction", "pusher", "environmentVariables"],
  ]);
  expect(functions.pusher).toEqual({ CROSSBORDERBRIDGE_CONFIG: "{}", TIMEOUT_SECONDS: "60", BRIDGE_PAUSED: "1" });
  expect(await both.read()).toEqual([
    { name: "the function dispatcher", isOpen: false },
    { name: "the function pusher", isOpen: false },
  ]);
});

test("a resume removes it, also after a pause that stopped half way", async () => {
  const both = ways("dispatcher", "pusher");
  await ways("pusher").set(false);
  expect((await both.read()).map(({ isOpen }) => isOpen)).toEqual([true, false]);
  await both.set(true);
  expect(functions.pusher).toEqual({ CROSSBORDERBRIDGE_CONFIG: "{}", TIMEOUT_SECONDS: "60" });
  expect((await both.read()).map(({ isOpen }) => isOpen)).toEqual([true, true]);
});

test("a function whose settings cannot be read is not updated: the update would remove them", async () => {
  functions.pusher = undefined;
  await expect(ways("pusher").set(false)).rejects.toThrow(/the function pusher has no variable CROSSBORDERBRIDGE_CONFIG/);
  expect(updates).toEqual([]);
});

test("a function that is gone is an error that names it", async () => {
  await expect(ways("sender").set(false)).rejects.toMatchObject({
    kind: "NotFound",
    message: "the function sender cannot be read: FunctionNotFound (404, request r1)",
  });
});
