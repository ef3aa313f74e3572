import { type ApiCall, ApiError } from "../../src/contracts";
import { ACCOUNT, type FcFixture, REGION, startFixture } from "./fc-fixture";

let fixture: FcFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await fixture.create("echo", "exports.handler = async (event) => { console.log('seen'); return event; };");
  await fixture.create("fails", "exports.handler = async () => { throw new Error('oops'); };");
  await fixture.create("handled", "exports.handler = (event, context, callback) => callback('no');");
});
afterAll(() => fixture.stop());

const asked: [string, string][] = [];
const callOf = (changes: Partial<ApiCall> = {}): ApiCall => ({
  region: REGION,
  caller: { accountId: ACCOUNT, arn: `acs:ram::${ACCOUNT}:root` },
  action: "InvokeFunction",
  version: "2023-03-30",
  method: "POST",
  path: "/2023-03-30/functions/echo/invocations",
  query: new URLSearchParams(),
  headers: {},
  body: Buffer.from("event"),
  authorize: (action, resource) => void asked.push([action, resource]),
  ...changes,
});
const to = (name: string) => ({ path: `/2023-03-30/functions/${name}/invocations` });

test("a synchronous invocation answers with the result", async () => {
  const answer = await fixture.fc.api(callOf({ query: new URLSearchParams({ qualifier: "LATEST" }) }));
  expect(answer).toEqual({
    status: 200,
    headers: {
      "content-type": "application/octet-stream",
      "x-fc-request-id": expect.stringMatching(/^1-/),
      "x-fc-code-checksum": fixture.fc.getFunction(REGION, "echo")?.codeChecksum,
    },
    body: Buffer.from("event"),
  });
  expect(asked.at(-1)).toEqual(["fc:InvokeFunction", `acs:fc:${REGION}:${ACCOUNT}:functions/echo`]);
});

test.each([
  ["fails", "UnhandledInvocationError", "oops"],
  ["handled", "HandledInvocationError", "no"],
])("a function that fails answers 200 with its error: %s", async (name, errorType, errorMessage) => {
  const { status, headers, body } = await fixture.fc.api(callOf(to(name)));
  expect([status, headers?.["x-fc-error-type"]]).toEqual([200, errorType]);
  expect(JSON.parse(String(body))).toMatchObject({ errorMessage });
});

test("x-fc-log-type: Tail returns the end of the log", async () => {
  const { headers } = await fixture.fc.api(callOf({ headers: { "x-fc-log-type": "Tail" } }));
  const log = Buffer.from(headers?.["x-fc-log-result"] ?? "", "base64").toString();
  const requestId = headers?.["x-fc-request-id"];
  expect(log).toMatch(new RegExp(`^FC Invoke Start RequestId: ${requestId}\n.* seen\nFC Invoke End RequestId: ${requestId}\n$`));
});

test("an asynchronous invocation is accepted and runs", async () => {
  const { status, headers, body } = await fixture.fc.api(callOf({ headers: { "x-fc-invocation-type": "Async" } }));
  expect([status, body]).toEqual([202, undefined]);
  await fixture.fc.idle();
  expect(fixture.fc.logs(REGION, "echo")).toContain(`FC Invoke End RequestId: ${headers?.["x-fc-request-id"]}`);
});

test.each<[string, Partial<ApiCall>, number, string]>([
  ["another path", { path: "/2023-03-30/functions/echo" }, 400, "PathNotSupported"],
  ["another method", { method: "GET" }, 400, "PathNotSupported"],
  ["a missing function", to("missing"), 404, "FunctionNotFound"],
  ["a function of another region", { region: "us-west-1" }, 404, "FunctionNotFound"],
  ["another qualifier", { query: new URLSearchParams({ qualifier: "prod" }) }, 400, "InvalidArgument"],
  ["another type", { headers: { "x-fc-invocation-type": "Later" } }, 400, "InvalidArgument"],
  ["a delay", { headers: { "x-fc-invocation-type": "Async", "x-fc-async-delay": "5" } }, 400, "InvalidArgument"],
  ["a large event", { headers: { "x-fc-invocation-type": "Async" }, body: Buffer.alloc(131_073) }, 400, "EntityTooLarge"],
])("%s is refused", async (_, changes, status, code) => {
  await expect(fixture.fc.api(callOf(changes))).rejects.toMatchObject({ status, code });
});

test("a caller without permission learns nothing about the function", async () => {
  const authorize = () => {
    throw new ApiError(403, "NoPermission", "no");
  };
  await expect(fixture.fc.api(callOf({ ...to("missing"), authorize }))).rejects.toMatchObject({ code: "NoPermission" });
});
