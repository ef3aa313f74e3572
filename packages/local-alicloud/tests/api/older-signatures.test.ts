/** RPC and ROA signatures 1.0, made by the vendor's own client and, where a request must be refused, by its own functions. */
import { randomUUID } from "node:crypto";
import { OpenApiUtil } from "@alicloud/openapi-core";
import { rpcParameters } from "../../src/api/rpc-parameters";
import { ApiError } from "../../src/contracts";
import { type ApiFixture, call, type Keys, type Raw, REGION, refused, sendAsIs, startApi } from "./api-fixture";

let fixture: ApiFixture;
beforeAll(async () => {
  fixture = await startApi();
});
beforeEach(() => {
  fixture.clock.aheadMs = 0;
  fixture.seen.length = 0;
  fixture.handle = () => ({ status: 200, body: { Roles: { Role: [{ RoleName: "a" }, { RoleName: "b & c" }] } } });
});
afterAll(() => fixture.close());

const root = () => fixture.ram.root;
const STRANGE = "a b+c/d=é*'()!~&%";

describe.each([
  ["the account's own keys", () => fixture.ram.root],
  ["keys of STS", () => fixture.session(["*"], ["*"])],
])("the vendor's client with older signatures and %s", (_, keysOf) => {
  test.each(["GET", "POST"])("calls in RPC style by %s", async (method) => {
    fixture.handle = (seen) => ({ status: 200, body: { Given: Object.fromEntries(rpcParameters(seen)) } });
    const given = { Name: STRANGE, "Tag.1.Key": "k", Empty: "" };
    const client = fixture.olderClient(keysOf());
    const { body } = await call(client, {
      ...{ action: "CreateRole", version: "2015-05-01", method },
      ...(method === "GET" ? { query: given } : { body: given }),
    });
    expect(body).toMatchObject({ RequestId: expect.stringMatching(/^[0-9A-F-]{36}$/), Given: given });
    expect(fixture.seen).toMatchObject([{ action: "CreateRole", version: "2015-05-01", method }]);
  });

  test("calls in ROA style", async () => {
    fixture.handle = (seen) => ({ status: 200, body: { given: JSON.parse(seen.body.toString()) } });
    const { body } = await call(fixture.olderClient(keysOf()), {
      ...{ action: "CreateFunction", version: "2023-03-30", style: "ROA", method: "POST", pathname: "/2023-03-30/functions" },
      ...{ query: { qualifier: "LATEST", prefix: "" }, reqBodyType: "json", body: { functionName: "é" } },
    });
    expect(body.given).toEqual({ functionName: "é" });
    expect(fixture.seen).toMatchObject([{ version: "2023-03-30", path: "/2023-03-30/functions", method: "POST" }]);
  });
});

test("a refusal has the vendor's form", async () => {
  fixture.handle = () => {
    throw new ApiError(404, "EntityNotExist.Role", "The role x does not exist.");
  };
  const rpc = call(fixture.olderClient(), { action: "GetRole", version: "2015-05-01" });
  expect(await refused(rpc)).toEqual({ statusCode: 404, code: "EntityNotExist.Role" });
  const wrong = { ...root(), accessKeySecret: "wrong" };
  const roa = call(fixture.olderClient(wrong), { action: "x", style: "ROA", method: "GET", pathname: "/x", reqBodyType: "json" });
  expect(await refused(roa)).toEqual({ statusCode: 400, code: "SignatureDoesNotMatch" });
});

/** An RPC call by GET, signed by the vendor's function. `prepare` changes the parameters before signing, `change` after it. */
function sendRpc(
  keys: Keys,
  { prepare = {}, change = {}, method = "GET" }: { prepare?: Params; change?: Params; method?: string } = {},
) {
  const at = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const parameters = withChanges(
    {
      ...{ Action: "ListRoles", Version: "2015-05-01", Format: "JSON", Timestamp: at, SignatureNonce: randomUUID() },
      ...{ SignatureMethod: "HMAC-SHA1", SignatureVersion: "1.0", AccessKeyId: keys.accessKeyId, RoleName: STRANGE },
      ...(keys.securityToken === undefined ? {} : { SecurityToken: keys.securityToken }),
    },
    prepare,
  );
  const Signature = OpenApiUtil.getRPCSignature(parameters, "GET", keys.accessKeySecret);
  return sendAsIs(fixture, rawOf(withChanges({ ...parameters, Signature }, change), method));
}
type Params = Record<string, string | undefined>;

const withChanges = (parameters: Record<string, string>, changes: Params): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ ...parameters, ...changes }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

const rawOf = (parameters: Record<string, string>, method: string): Raw => ({
  ...{ method, path: `/?${new URLSearchParams(parameters)}`, body: "" },
  headers: { host: new URL(fixture.origin).host },
});

test("RPC: a signature by the vendor's function is accepted", async () => {
  expect(await sendRpc(root())).toMatchObject({ status: 200 });
  expect(await sendRpc(fixture.session(["*"], ["*"]))).toMatchObject({ status: 200 });
});

test.each<[string, Parameters<typeof sendRpc>[1]]>([
  ["another parameter", { change: { RoleName: "other" } }],
  ["one parameter more", { change: { Force: "true" } }],
  ["one parameter less", { change: { RoleName: undefined } }],
  ["another action", { change: { Action: "DeleteRole" } }],
  ["another nonce", { change: { SignatureNonce: "other" } }],
  ["another signature", { change: { Signature: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" } }],
  ["a signature that is no base64", { change: { Signature: "?" } }],
  ["another method", { method: "POST" }],
])("RPC: %s than was signed is refused", async (_, options) => {
  const { status, code, text } = await sendRpc(root(), options);
  expect([status, code]).toEqual([400, "SignatureDoesNotMatch"]);
  // The vendor's SDKs look for this text, and compare what follows.
  expect(text).toContain("Specified signature is not matched with our calculation. server string to sign is:");
  expect(text).not.toContain(root().accessKeySecret);
  expect(fixture.seen).toEqual([]);
});

test.each(["Action", "Version", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp"])(
  "RPC: a call without %s is refused by name",
  async (name) => {
    const { status, code, text } = await sendRpc(root(), { change: { [name]: undefined } });
    expect([status, code]).toEqual([400, `Missing${name}`]);
    expect(text).toContain(`${name} is mandatory for this action.`);
  },
);

test("RPC: a call without AccessKeyId is refused by name", async () => {
  expect(await sendRpc(root(), { change: { AccessKeyId: undefined } })).toMatchObject({
    status: 400,
    code: "MissingAccessKeyId",
  });
});

test.each<[string, Params, string]>([
  ["another method of signing", { SignatureMethod: "HMAC-MD5" }, "InvalidSignatureMethod"],
  ["another version of the signature", { SignatureVersion: "2.0" }, "InvalidSignatureMethod"],
  ["a time that is none", { Timestamp: "yesterday" }, "InvalidTimeStamp.Format"],
  ["an old time", { Timestamp: "2020-01-01T00:00:00Z" }, "InvalidTimeStamp.Expired"],
])("RPC: %s is refused", async (_, prepare, code) => {
  expect(await sendRpc(root(), { prepare })).toMatchObject({ status: 400, code });
});

test("RPC: an unknown key, a missing token and a foreign token are refused", async () => {
  expect(await sendRpc({ ...root(), accessKeyId: "LTAIwho" })).toMatchObject({
    status: 404,
    code: "InvalidAccessKeyId.NotFound",
  });
  const { accessKeyId, accessKeySecret } = fixture.session(["*"], ["*"]);
  expect(await sendRpc({ accessKeyId, accessKeySecret })).toMatchObject({ status: 400, code: "MissingSecurityToken" });
  const { securityToken } = fixture.session(["*"], ["*"]);
  expect(await sendRpc({ accessKeyId, accessKeySecret, securityToken })).toMatchObject({
    code: "InvalidSecurityToken.MismatchWithAccessKey",
  });
});

test("RPC: a nonce is valid for one call", async () => {
  const prepare = { SignatureNonce: randomUUID() };
  expect(await sendRpc(root(), { prepare })).toMatchObject({ status: 200 });
  expect(await sendRpc(root(), { prepare })).toMatchObject({ status: 400, code: "SignatureNonceUsed" });
});

test.each([
  ["XML", { Format: "XML" }],
  ["no format, whose default is XML", { Format: undefined }],
])("RPC: the answer to %s is XML", async (_, prepare) => {
  const { headers, text } = await sendRpc(root(), { prepare });
  expect(headers["content-type"]).toContain("/xml");
  expect(text).toContain(`<ListRolesResponse><RequestId>${headers["x-acs-request-id"]}</RequestId>`);
  expect(text).toContain("<Roles><Role><RoleName>a</RoleName></Role><Role><RoleName>b &amp; c</RoleName></Role></Roles>");
});

test("RPC: a refusal to a call for XML is XML, also before the signature is verified", async () => {
  const { status, text } = await sendRpc(root(), { prepare: { Format: "XML" }, change: { Timestamp: undefined } });
  expect(status).toBe(400);
  expect(text).toContain(`<Error><RequestId>`);
  expect(text).toContain(`<HostId>test.${REGION}.aliyuncs.com</HostId><Code>MissingTimestamp</Code>`);
});

/** A ROA call, signed by the vendor's function. */
function sendRoa(prepare: Params = {}, change: (raw: Raw) => void = () => {}) {
  const headers = withChanges(
    {
      ...{ date: new Date().toUTCString(), host: new URL(fixture.origin).host, accept: "application/json" },
      ...{ "x-acs-signature-nonce": randomUUID(), "x-acs-signature-method": "HMAC-SHA1", "x-acs-version": "2023-03-30" },
      ...{ "content-type": "application/json" },
    },
    prepare,
  );
  const request = { method: "PUT", pathname: "/2023-03-30/functions/f", query: { b: "2 3", a: "1" }, headers };
  const text = OpenApiUtil.getStringToSign(request as unknown as Parameters<typeof OpenApiUtil.getStringToSign>[0]);
  headers.authorization = `acs ${root().accessKeyId}:${OpenApiUtil.getROASignature(text, root().accessKeySecret)}`;
  const raw: Raw = { method: "PUT", path: "/2023-03-30/functions/f?a=1&b=2%203", headers, body: "{}" };
  change(raw);
  return sendAsIs(fixture, raw);
}

test("ROA: a signature by the vendor's function is accepted", async () => {
  expect(await sendRoa()).toMatchObject({ status: 200 });
});

test("ROA: a nonce is valid for one call", async () => {
  const prepare = { "x-acs-signature-nonce": randomUUID() };
  expect(await sendRoa(prepare)).toMatchObject({ status: 200 });
  expect(await sendRoa(prepare)).toMatchObject({ status: 400, code: "SignatureNonceUsed" });
});

// Recorded from `aliyun fc` 3.4.11.
test("ROA: a call of the vendor's command, which has no nonce and a digest of an empty body, is accepted", async () => {
  const raw: Raw = {
    method: "GET",
    path: "/2023-03-30/functions/f",
    headers: {
      "user-agent": "AlibabaCloud (linux; amd64) Golang/1.26.8 Core/1.63.22 Aliyun-CLI/3.4.11",
      ...{ host: new URL(fixture.origin).host, accept: "application/json", "accept-encoding": "identity" },
      ...{
        "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==",
        "content-type": "application/octet-stream",
        date: new Date().toUTCString(),
      },
      ...{ "x-acs-credentials-provider": "static_sts", "x-acs-region-id": REGION, "x-acs-version": "2023-03-30" },
      ...{ "x-acs-signature-method": "HMAC-SHA1", "x-acs-signature-version": "1.0" },
      ...{ "x-sdk-client": "golang/1.0.0", "x-sdk-core-version": "1.63.22", "x-sdk-invoke-type": "common" },
    },
    body: "",
  };
  const request = { method: raw.method, pathname: raw.path, query: {}, headers: raw.headers };
  const text = OpenApiUtil.getStringToSign(request as unknown as Parameters<typeof OpenApiUtil.getStringToSign>[0]);
  raw.headers.authorization = `acs ${root().accessKeyId}:${OpenApiUtil.getROASignature(text, root().accessKeySecret)}`;
  expect(await sendAsIs(fixture, raw)).toMatchObject({ status: 200 });
});

test.each<[string, (raw: Raw) => void]>([
  [
    "another path",
    (raw) => {
      raw.path = raw.path.replace("/f?", "/g?");
    },
  ],
  [
    "another query",
    (raw) => {
      raw.path = raw.path.replace("a=1", "a=2");
    },
  ],
  [
    "another method",
    (raw) => {
      raw.method = "DELETE";
    },
  ],
  [
    "another version",
    (raw) => {
      raw.headers["x-acs-version"] = "2021-04-06";
    },
  ],
  [
    "a header of the vendor's more",
    (raw) => {
      raw.headers["x-acs-action"] = "DeleteFunction";
    },
  ],
  [
    "another content type",
    (raw) => {
      raw.headers["content-type"] = "text/plain";
    },
  ],
])("ROA: %s than was signed is refused", async (_, change) => {
  expect(await sendRoa({}, change)).toMatchObject({ status: 400, code: "SignatureDoesNotMatch" });
  expect(fixture.seen).toEqual([]);
});

test.each<[string, Params, string]>([
  ["no date", { date: undefined }, "MissingTimestamp"],
  ["a date that is none", { date: "now" }, "InvalidTimeStamp.Format"],
  ["an old date", { date: "Wed, 01 Jan 2020 00:00:00 GMT" }, "InvalidTimeStamp.Expired"],
  ["no version", { "x-acs-version": undefined }, "MissingVersion"],
  ["another method of signing", { "x-acs-signature-method": "HMAC-MD5" }, "InvalidSignatureMethod"],
  ["the digest of another body", { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" }, "InvalidContentMD5"],
])("ROA: %s is refused", async (_, prepare, code) => {
  expect(await sendRoa(prepare)).toMatchObject({ status: 400, code });
});

test("ROA: half a signature is refused", async () => {
  const half = await sendRoa({}, (raw) => {
    raw.headers.authorization = "acs key";
  });
  expect(half).toMatchObject({ status: 400, code: "IncompleteSignature" });
});
