import type { SecretParameters } from "../../src/contracts";
import { createSecretParameters } from "../../src/oos/secret-parameters";
import { ACCOUNT, type ApiFixture, call, REGION, refused, rpcCaller, startApi } from "../api/api-fixture";
import { refusal } from "../ram/refusal";

const NAME = "orders/bridge-token";
const RESOURCE = `acs:oos:${REGION}:${ACCOUNT}:secretparameter/${NAME}`;
const SECRET = `acs:kms:${REGION}:${ACCOUNT}:secret/oos/${NAME}`;

let now = Date.parse("2026-11-21T12:00:00.789Z");
let secrets: SecretParameters;
let fixture: ApiFixture;
beforeAll(async () => {
  fixture = await startApi({ service: "oos", handler: (seen) => secrets.api(seen) });
});
beforeEach(() => {
  secrets = createSecretParameters({ ram: fixture.ram, now: () => now });
  secrets.put(REGION, { name: NAME, value: "whsec_é", description: "for tests" });
  fixture.calls.length = 0;
});
afterAll(() => fixture.close());

const get = (query: Record<string, string>, client = fixture.client()) =>
  call(client, { action: "GetSecretParameter", query: { Name: NAME, ...query } });

test("returns the value with WithDecryption", async () => {
  const { body } = await get({ RegionId: REGION, WithDecryption: "true" });
  expect(body).toEqual({
    RequestId: expect.any(String),
    Parameter: {
      Id: expect.stringMatching(/^p-[0-9a-f]{20}$/),
      Name: NAME,
      Type: "Secret",
      Value: "whsec_é",
      Description: "for tests",
      ParameterVersion: 1,
      CreatedBy: `root(${ACCOUNT})`,
      CreatedDate: "2026-11-21T12:00:00Z",
      UpdatedBy: `root(${ACCOUNT})`,
      UpdatedDate: "2026-11-21T12:00:00Z",
      ShareType: "Private",
      Tags: {},
    },
  });
});

test("accepts a form and a query", async () => {
  const { body } = await call(fixture.client(), { action: "GetSecretParameter", body: { Name: NAME, WithDecryption: true } });
  expect(body.Parameter.Value).toBe("whsec_é");
});

test("returns no value without WithDecryption", async () => {
  for (const query of [{}, { WithDecryption: "false" }]) expect((await get(query)).body.Parameter).not.toHaveProperty("Value");
});

test("a new value is a new version, and the old version can be read", async () => {
  now += 60_000;
  secrets.put(REGION, { name: NAME, value: "second" });
  secrets.put(REGION, { name: NAME, value: "second", description: "again" });
  const read = async (query: Record<string, string>) => (await get({ WithDecryption: "true", ...query })).body.Parameter;
  expect(await read({})).toMatchObject({
    Value: "second",
    ParameterVersion: 2,
    Description: "again",
    UpdatedDate: "2026-11-21T12:01:00Z",
  });
  expect(await read({ ParameterVersion: "1" })).toMatchObject({ Value: "whsec_é", ParameterVersion: 1 });
  expect(await refused(get({ ParameterVersion: "3" }))).toEqual({ statusCode: 404, code: "EntityNotExists.ParameterVersion" });
});

test("needs permission for the parameter, and for its value permission for the KMS secret", async () => {
  const reader = fixture.client(fixture.session(["oos:GetSecretParameter"], [RESOURCE]));
  await get({}, reader);
  const denied = { statusCode: 403, code: "NoPermission" };
  expect(await refused(get({ WithDecryption: "true" }, reader))).toEqual(denied);
  const both = fixture.client(fixture.session(["oos:GetSecretParameter", "kms:GetSecretValue"], [RESOURCE, SECRET]));
  expect((await get({ WithDecryption: "true" }, both)).body.Parameter.Value).toBe("whsec_é");
  const elsewhere = fixture.client(fixture.session(["oos:*", "kms:*"], [`${RESOURCE}2`, `${SECRET}2`]));
  expect(await refused(get({}, elsewhere))).toEqual(denied);
  expect(fixture.calls.map(({ action, resource, allowed }) => [action, resource, allowed])).toEqual([
    ["oos:GetSecretParameter", RESOURCE, true],
    ["oos:GetSecretParameter", RESOURCE, true],
    ["kms:GetSecretValue", SECRET, false],
    ["oos:GetSecretParameter", RESOURCE, true],
    ["kms:GetSecretValue", SECRET, true],
    ["oos:GetSecretParameter", RESOURCE, false],
  ]);
});

test.each([
  ["a name that is not there", { Name: "other" }, 404, "EntityNotExists.Parameter"],
  ["no name", { Name: "" }, 400, "MissingName"],
  ["a version that is no number", { ParameterVersion: "latest" }, 400, "InvalidParameter"],
  ["another region", { RegionId: "us-west-1" }, 400, "InvalidParameter"],
])("refuses %s", async (_, query, statusCode, code) => {
  expect(await refused(get(query))).toEqual({ statusCode, code });
});

test("serves the actions of secret parameters, of one version", async () => {
  const missing = { statusCode: 404, code: "InvalidApi.NotFound" };
  const query = { Name: NAME };
  expect(await refused(call(fixture.client(), { action: "GetParameter", query }))).toEqual(missing);
  expect(await refused(call(fixture.client(), { action: "GetSecretParameter", version: "2015-01-01", query }))).toEqual(missing);
});

test("parameters are stored, read and deleted per region", () => {
  expect(secrets.get(REGION, NAME)).toEqual({ name: NAME, value: "whsec_é", description: "for tests" });
  expect(secrets.get("us-west-1", NAME)).toBeUndefined();
  secrets.delete(REGION, NAME);
  expect(secrets.get(REGION, NAME)).toBeUndefined();
  expect(refusal(() => secrets.delete(REGION, NAME))).toBe("EntityNotExists.Parameter");
});

test.each([
  ["a name of the vendor's", { name: "oos-token", value: "x" }],
  ["a name with other characters", { name: "a token", value: "x" }],
  ["a name that is too long", { name: "x".repeat(181), value: "x" }],
  ["no value", { name: "token", value: "" }],
  ["a value that is too long", { name: "token", value: "x".repeat(4097) }],
])("does not accept %s", (_, parameter) => {
  expect(refusal(() => secrets.put(REGION, parameter))).toBe("InvalidParameter");
});

describe("over the control API, as the vendor's Terraform provider calls it", () => {
  const oos = rpcCaller(() => fixture.olderClient(), "2019-06-01");
  const create = (changes: object = {}) =>
    oos("CreateSecretParameter", { Name: "new", RegionId: REGION, Value: "v1", ...changes });
  const read = async (Name = "new") =>
    (await oos("GetSecretParameter", { Name, RegionId: REGION, WithDecryption: true })).Parameter;

  test("a parameter is created, changed and deleted, and its value is in no answer", async () => {
    const { Parameter } = await create({ Description: "made", Tags: '{"team":"data"}', Type: "Secret" });
    expect(Parameter).toMatchObject({
      Name: "new",
      Type: "Secret",
      ParameterVersion: 1,
      Description: "made",
      Tags: { team: "data" },
    });
    // With this field the provider would replace the parameter at each run.
    expect(Parameter).not.toHaveProperty("Constraints");
    expect(JSON.stringify(Parameter)).not.toContain("v1");
    expect(await read()).toMatchObject({ Value: "v1" });
    await oos("UpdateSecretParameter", { Name: "new", RegionId: REGION, Value: "v2" });
    expect(await read()).toMatchObject({ Value: "v2", ParameterVersion: 2, Description: "made", Tags: { team: "data" } });
    await oos("UpdateSecretParameter", { Name: "new", Value: "v2", Description: "", Tags: '{"stage":"test"}' });
    expect(await read()).toMatchObject({ ParameterVersion: 2, Description: "", Tags: { stage: "test" } });
    expect(secrets.get(REGION, "new")?.value).toBe("v2");
    await oos("DeleteSecretParameter", { Name: "new", RegionId: REGION });
    expect(await refused(read())).toEqual({ statusCode: 404, code: "EntityNotExists.Parameter" });
  });

  test("tags are listed by the names of parameters", async () => {
    await create({ Tags: '{"team":"data"}' });
    const about = { ResourceType: "secretparameter", ResourceIds: '["new"]', RegionId: REGION };
    const { TagResources } = await oos("ListTagResources", about);
    expect(TagResources.TagResource).toEqual([
      { ResourceType: "secretparameter", ResourceId: "new", TagKey: "team", TagValue: "data" },
    ]);
    expect(await refused(oos("ListTagResources", { ...about, ResourceType: "template" }))).toMatchObject({ statusCode: 400 });
  });

  test("constraints are kept, and hold for every value", async () => {
    const Constraints = JSON.stringify({ AllowedPattern: "^v\\d$", MinLength: 2, MaxLength: 2 });
    await create({ Constraints });
    expect(await read()).toMatchObject({ Constraints });
    for (const Value of ["w1", "v10"])
      expect(await refused(oos("UpdateSecretParameter", { Name: "new", Value }))).toEqual({
        statusCode: 400,
        code: "InvalidParameter",
      });
    const among = JSON.stringify({ AllowedValues: ["a", "b"] });
    expect(await refused(create({ Name: "other", Constraints: among }))).toMatchObject({ statusCode: 400 });
  });

  test.each<[string, object, number, string]>([
    ["no name", { Name: undefined }, 400, "MissingName"],
    ["no value", { Value: undefined }, 400, "MissingValue"],
    ["the name of another", { Name: NAME }, 409, "EntityAlreadyExists.Parameter"],
    ["another type", { Type: "Plain" }, 400, "InvalidParameter"],
    ["a key of its own", { KeyId: "key-1" }, 400, "InvalidParameter"],
    ["tags that are a list", { Tags: "[]" }, 400, "InvalidParameter"],
    ["constraints that are none", { Constraints: '{"Longest":1}' }, 400, "InvalidParameter"],
    ["a description that is too long", { Description: "x".repeat(201) }, 400, "InvalidParameter"],
    ["another region", { RegionId: "us-west-1" }, 400, "InvalidParameter"],
  ])("a parameter with %s is refused", async (_, changes, statusCode, code) => {
    expect(await refused(create(changes))).toEqual({ statusCode, code });
  });

  test("a session needs permission for the parameter", async () => {
    const session = fixture.session(["oos:CreateSecretParameter"], [`acs:oos:*:*:secretparameter/new`]);
    const asSession = rpcCaller(() => fixture.client(session), "2019-06-01");
    await asSession("CreateSecretParameter", { Name: "new", Value: "v1" });
    expect(await refused(asSession("DeleteSecretParameter", { Name: "new" }))).toEqual({ statusCode: 403, code: "NoPermission" });
  });
});
