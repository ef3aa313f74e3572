import { rpcParameters } from "../../src/api/rpc-parameters";
import { ApiError } from "../../src/contracts";
import { ACCOUNT, type ApiFixture, call, REGION, refused, startApi } from "./api-fixture";

let fixture: ApiFixture;
beforeAll(async () => {
  fixture = await startApi();
});
beforeEach(() => {
  fixture.handle = () => ({ status: 200, body: {} });
  for (const list of [fixture.seen, fixture.calls, fixture.failures]) list.length = 0;
});
afterAll(() => fixture.close());

const FUNCTION = `acs:fc:${REGION}:${ACCOUNT}:functions/copier`;

describe.each([
  ["the account's own keys", () => fixture.ram.root],
  ["keys of STS", () => fixture.session(["*"], ["*"])],
])("the vendor's client with %s", (_, keysOf) => {
  test("calls in RPC style, by query and by form", async () => {
    fixture.handle = (seen) => ({ status: 200, body: { Parameters: Object.fromEntries(rpcParameters(seen)) } });
    const strange = "a b+c/d=é*'()!~&%";
    const client = fixture.client(keysOf());
    for (const given of [{ query: { Name: strange, "Tag.1.Key": "" } }, { body: { Name: strange, "Tag.1.Key": "" } }]) {
      const { body, headers } = await call(client, { action: "GetIt", ...given });
      expect(body).toEqual({ RequestId: expect.any(String), Parameters: { Name: strange, "Tag.1.Key": "" } });
      expect(headers["x-acs-request-id"]).toBe(body.RequestId);
    }
    expect(fixture.seen.map(({ action, method, path, region }) => ({ action, method, path, region }))).toEqual(
      [1, 2].map(() => ({ action: "GetIt", method: "POST", path: "/", region: REGION })),
    );
  });

  test("calls in ROA style, with a body of bytes and headers of its own", async () => {
    const bytes = Buffer.from([0, 1, 254, 255, 13, 10]);
    fixture.handle = ({ body }) => ({ status: 202, headers: { "x-fc-request-id": "r" }, body: Buffer.concat([body, body]) });
    const answer = await call(fixture.client(keysOf()), {
      action: "InvokeFunction",
      version: "2023-03-30",
      style: "ROA",
      pathname: "/2023-03-30/functions/a%24b%C3%A9/invocations",
      query: { qualifier: "LATEST" },
      headers: { "x-fc-invocation-type": "Async" },
      reqBodyType: "byte",
      body: bytes,
      bodyType: "byte",
    });
    expect(answer).toMatchObject({ statusCode: 202, headers: { "x-fc-request-id": "r" }, body: Buffer.concat([bytes, bytes]) });
    const [seen] = fixture.seen;
    expect(seen).toMatchObject({ method: "POST", path: "/2023-03-30/functions/a%24b%C3%A9/invocations", body: bytes });
    expect(seen?.headers["x-fc-invocation-type"]).toBe("Async");
    expect(seen?.query.get("qualifier")).toBe("LATEST");
  });
});

test("the handler gets the caller", async () => {
  await call(fixture.client(), { action: "Test" });
  const session = fixture.session(["fc:*"], ["*"]);
  await call(fixture.client(session), { action: "Test" });
  expect(fixture.seen.map(({ caller }) => caller)).toEqual([
    { accountId: ACCOUNT, arn: `acs:ram::${ACCOUNT}:root` },
    fixture.ram.find(session.accessKeyId)?.principal,
  ]);
});

test("authorizes by the caller's policies and records both outcomes", async () => {
  const session = fixture.session(["fc:InvokeFunction"], [FUNCTION]);
  const client = fixture.client(session);
  fixture.handle = (seen) => {
    seen.authorize("fc:InvokeFunction", FUNCTION);
    seen.authorize("fc:InvokeFunction", `${FUNCTION}/LATEST`);
    return { status: 200 };
  };
  expect(await refused(call(client, { action: "Test" }))).toEqual({ statusCode: 403, code: "NoPermission" });
  const principal = fixture.ram.find(session.accessKeyId)?.principal;
  expect(fixture.calls).toEqual([
    { principal, action: "fc:InvokeFunction", resource: FUNCTION, allowed: true },
    { principal, action: "fc:InvokeFunction", resource: `${FUNCTION}/LATEST`, allowed: false },
  ]);
});

test("policies can have conditions on the address and on TLS", async () => {
  const deny = (condition: object) => ({ Effect: "Deny", Action: "*", Resource: "*", Condition: condition });
  const policyDocument = (condition: object) => JSON.stringify({ Version: "1", Statement: [deny(condition)] });
  fixture.ram.createPolicy({
    policyName: "tls-only",
    policyDocument: policyDocument({ Bool: { "acs:SecureTransport": "false" } }),
  });
  fixture.ram.createPolicy({
    policyName: "not-from-here",
    policyDocument: policyDocument({ IpAddress: { "acs:SourceIp": "127.0.0.0/8" } }),
  });
  const session = fixture.session(["*"], ["*"]);
  const [, role = ""] = /assumed-role\/([^/]+)/.exec(fixture.ram.find(session.accessKeyId)?.principal.arn ?? "") ?? [];
  fixture.handle = (seen) => {
    seen.authorize("fc:InvokeFunction", FUNCTION);
    return { status: 200, body: {} };
  };
  const over = (protocol: "http" | "https") => call(fixture.client(session, protocol), { action: "Test" });
  await over("http");
  fixture.ram.attachPolicyToRole("tls-only", role);
  expect(await refused(over("http"))).toEqual({ statusCode: 403, code: "NoPermission" });
  await over("https");
  fixture.ram.attachPolicyToRole("not-from-here", role);
  expect(await refused(over("https"))).toEqual({ statusCode: 403, code: "NoPermission" });
});

test("sends a refusal in the vendor's form", async () => {
  fixture.handle = () => {
    throw new ApiError(404, "FunctionNotFound", "function 'f' does not exist");
  };
  await expect(call(fixture.client(), { action: "Test" })).rejects.toMatchObject({
    statusCode: 404,
    code: "FunctionNotFound",
    message: expect.stringContaining("function 'f' does not exist"),
    data: { RequestId: expect.stringMatching(/^[0-9A-F-]{36}$/), HostId: `test.${REGION}.aliyuncs.com` },
  });
  expect(fixture.failures).toEqual([]);
});

test("an unexpected error is an InternalError without details and is reported", async () => {
  const bug = new Error("secret detail");
  fixture.handle = () => {
    throw bug;
  };
  const promise = call(fixture.client(), { action: "Test" });
  await expect(promise).rejects.toMatchObject({ statusCode: 500, code: "InternalError" });
  await expect(promise).rejects.not.toMatchObject({ message: expect.stringContaining("secret detail") });
  expect(fixture.failures).toEqual([bug]);
});
