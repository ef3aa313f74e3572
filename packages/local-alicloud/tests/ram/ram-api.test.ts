/** RAM over the control API, as the vendor's client and its Terraform provider call it. */
import { ACCOUNT, type ApiFixture, refused, rpcCaller, startApi } from "../api/api-fixture";

let fixture: ApiFixture;
let names = 0;
beforeAll(async () => {
  fixture = await startApi({ service: "ram", handler: (call) => fixture.ram.api(call) });
});
beforeEach(() => {
  fixture.calls.length = 0;
});
afterAll(() => fixture.close());

const ram = rpcCaller(() => fixture.olderClient(), "2015-05-01");
const newName = (kind: string) => `${kind}-${++names}`;

const TRUST = JSON.stringify({
  Version: "1",
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: ["fc.aliyuncs.com"] } }],
});
const documentOf = (action: string) =>
  JSON.stringify({ Version: "1", Statement: [{ Effect: "Allow", Action: action, Resource: "*" }] });

async function newRole(changes: Record<string, unknown> = {}): Promise<string> {
  const RoleName = newName("role");
  await ram("CreateRole", { RoleName, AssumeRolePolicyDocument: TRUST, ...changes });
  return RoleName;
}

async function newPolicy(changes: Record<string, unknown> = {}): Promise<string> {
  const PolicyName = newName("policy");
  await ram("CreatePolicy", { PolicyName, PolicyDocument: documentOf("oss:GetObject"), ...changes });
  return PolicyName;
}

const policyOf = (PolicyName: string) => ram("GetPolicy", { PolicyName, PolicyType: "Custom" });

describe("roles", () => {
  test("are created, read, changed, listed and deleted", async () => {
    const RoleName = newName("role");
    const { Role } = await ram("CreateRole", {
      ...{ RoleName, AssumeRolePolicyDocument: TRUST, Description: "sends", MaxSessionDuration: 7200 },
    });
    expect(Role).toEqual({
      ...{ RoleName, RoleId: expect.stringMatching(/^\d{18}$/), Arn: `acs:ram::${ACCOUNT}:role/${RoleName}` },
      ...{ Description: "sends", AssumeRolePolicyDocument: TRUST, MaxSessionDuration: 7200 },
      ...{ CreateDate: expect.stringMatching(/^\d{4}-.*Z$/), UpdateDate: expect.stringMatching(/Z$/) },
    });
    expect((await ram("GetRole", { RoleName })).Role).toEqual(Role);
    await ram("UpdateRole", { RoleName, NewDescription: "", NewMaxSessionDuration: 3600 });
    expect((await ram("GetRole", { RoleName })).Role).toMatchObject({ Description: "", MaxSessionDuration: 3600 });
    expect((await ram("ListRoles")).Roles.Role.map((one: { RoleName: string }) => one.RoleName)).toContain(RoleName);
    await ram("DeleteRole", { RoleName });
    expect(await refused(ram("GetRole", { RoleName }))).toEqual({ statusCode: 404, code: "EntityNotExist.Role" });
  });

  test("are the same that the program sees", async () => {
    const RoleName = await newRole();
    expect(fixture.ram.getRole(RoleName)?.assumeRolePolicyDocument).toBe(TRUST);
    fixture.ram.deleteRole(RoleName);
    expect(await refused(ram("GetRole", { RoleName }))).toEqual({ statusCode: 404, code: "EntityNotExist.Role" });
  });

  test.each([
    ["no name", { RoleName: undefined }, 400, "MissingRoleName"],
    ["no trust policy", { AssumeRolePolicyDocument: undefined }, 400, "MissingAssumeRolePolicyDocument"],
    ["a trust policy that is none", { AssumeRolePolicyDocument: "{}" }, 400, "MalformedPolicyDocument"],
    ["a duration that is no number", { MaxSessionDuration: "long" }, 400, "InvalidParameter"],
    ["a duration that is too long", { MaxSessionDuration: 50_000 }, 400, "InvalidParameter.MaxSessionDuration"],
    ["another character", { RoleName: "a_b" }, 400, "InvalidParameter.RoleName"],
  ])("are not created with %s", async (_, changes, statusCode, code) => {
    const given = { RoleName: newName("role"), AssumeRolePolicyDocument: TRUST, ...changes };
    expect(await refused(ram("CreateRole", given))).toEqual({ statusCode, code });
  });

  test("are created once", async () => {
    const RoleName = await newRole();
    const again = ram("CreateRole", { RoleName, AssumeRolePolicyDocument: TRUST });
    expect(await refused(again)).toEqual({ statusCode: 409, code: "EntityAlreadyExists.Role" });
  });
});

describe("policies", () => {
  test("have a default version with the document", async () => {
    const PolicyName = await newPolicy({ Description: "reads" });
    expect(await policyOf(PolicyName)).toMatchObject({
      Policy: { PolicyName, PolicyType: "Custom", Description: "reads", DefaultVersion: "v1", AttachmentCount: 0 },
      DefaultPolicyVersion: { VersionId: "v1", IsDefaultVersion: true, PolicyDocument: documentOf("oss:GetObject") },
    });
  });

  test("get a new default version, and their permissions with it", async () => {
    const [PolicyName, RoleName] = [await newPolicy(), await newRole()];
    await ram("AttachPolicyToRole", { PolicyName, PolicyType: "Custom", RoleName });
    const PolicyDocument = documentOf("oss:PutObject");
    const { PolicyVersion } = await ram("CreatePolicyVersion", { PolicyName, PolicyDocument, SetAsDefault: true });
    expect(PolicyVersion).toMatchObject({ VersionId: "v2", IsDefaultVersion: true, PolicyDocument });
    expect(fixture.ram.getPolicy(PolicyName)?.policyDocument).toBe(PolicyDocument);
    const principal = { accountId: ACCOUNT, arn: `acs:ram::${ACCOUNT}:assumed-role/${RoleName}/s` };
    const may = (action: string) => fixture.ram.authorize(principal, action, "acs:oss:*:*:b/k", { conditions: {} });
    expect([may("oss:PutObject"), may("oss:GetObject")]).toEqual(["allow", "none"]);
    await ram("SetDefaultPolicyVersion", { PolicyName, VersionId: "v1" });
    expect([may("oss:PutObject"), may("oss:GetObject")]).toEqual(["none", "allow"]);
  });

  test("have five versions at most; a rotation deletes the oldest one that is not the default", async () => {
    const PolicyName = await newPolicy();
    const create = (more: object = {}) =>
      ram("CreatePolicyVersion", { PolicyName, PolicyDocument: documentOf("oss:List*"), ...more });
    for (let count = 2; count <= 5; count++) await create();
    expect(await refused(create())).toEqual({ statusCode: 409, code: "LimitExceeded.Policy.Version" });
    await create({ RotateStrategy: "DeleteOldestNonDefaultVersionWhenLimitExceeded" });
    const { PolicyVersions } = await ram("ListPolicyVersions", { PolicyName, PolicyType: "Custom" });
    expect(PolicyVersions.PolicyVersion.map(({ VersionId }: { VersionId: string }) => VersionId)).toEqual([
      "v1",
      "v3",
      "v4",
      "v5",
      "v6",
    ]);
    expect(await refused(create({ RotateStrategy: "Latest" }))).toEqual({ statusCode: 400, code: "InvalidParameter" });
    const one = { PolicyName, VersionId: "v1" };
    expect(await refused(ram("DeletePolicyVersion", one))).toEqual({
      statusCode: 409,
      code: "DeleteConflict.Policy.Version.Default",
    });
    await ram("DeletePolicyVersion", { PolicyName, VersionId: "v3" });
    const gone = ram("GetPolicyVersion", { PolicyName, PolicyType: "Custom", VersionId: "v3" });
    expect(await refused(gone)).toEqual({ statusCode: 404, code: "EntityNotExist.Policy.Version" });
  });

  test("get another description", async () => {
    const PolicyName = await newPolicy({ Description: "reads" });
    await ram("UpdatePolicyDescription", { PolicyName, NewDescription: "reads more" });
    expect((await policyOf(PolicyName)).Policy.Description).toBe("reads more");
  });

  test("with other versions are deleted only when that is asked for", async () => {
    const PolicyName = await newPolicy();
    await ram("CreatePolicyVersion", { PolicyName, PolicyDocument: documentOf("oss:PutObject"), SetAsDefault: true });
    expect(await refused(ram("DeletePolicy", { PolicyName }))).toEqual({
      statusCode: 409,
      code: "DeleteConflict.Policy.Version",
    });
    await ram("DeletePolicy", { PolicyName, CascadingDelete: true });
    expect(await refused(policyOf(PolicyName))).toEqual({ statusCode: 404, code: "EntityNotExist.Policy" });
  });

  test("of the vendor do not exist here", async () => {
    const system = ram("GetPolicy", { PolicyName: "AdministratorAccess", PolicyType: "System" });
    expect(await refused(system)).toEqual({ statusCode: 404, code: "EntityNotExist.Policy" });
    const unknown = ram("GetPolicy", { PolicyName: "x", PolicyType: "Mine" });
    expect(await refused(unknown)).toEqual({ statusCode: 400, code: "InvalidParameter" });
  });
});

test("an attachment is made, listed, counted and removed, and holds both ends", async () => {
  const [PolicyName, RoleName] = [await newPolicy(), await newRole()];
  const both = { PolicyName, PolicyType: "Custom", RoleName };
  await ram("AttachPolicyToRole", both);
  expect(await refused(ram("AttachPolicyToRole", both))).toEqual({ statusCode: 409, code: "EntityAlreadyExists.Role.Policy" });
  const { Policies } = await ram("ListPoliciesForRole", { RoleName });
  expect(Policies.Policy).toEqual([{ PolicyName, PolicyType: "Custom", Description: "", DefaultVersion: "v1" }]);
  expect((await policyOf(PolicyName)).Policy.AttachmentCount).toBe(1);
  const entities = await ram("ListEntitiesForPolicy", { PolicyName, PolicyType: "Custom" });
  expect(entities).toMatchObject({ Users: { User: [] }, Groups: { Group: [] }, Roles: { Role: [{ RoleName }] } });
  expect(await refused(ram("DeleteRole", { RoleName }))).toEqual({ statusCode: 409, code: "DeleteConflict.Role.Policy" });
  expect(await refused(ram("DeletePolicy", { PolicyName }))).toMatchObject({ statusCode: 409 });
  await ram("DetachPolicyFromRole", both);
  expect(await refused(ram("DetachPolicyFromRole", both))).toEqual({ statusCode: 404, code: "EntityNotExist.Role.Policy" });
  expect((await ram("ListPoliciesForRole", { RoleName })).Policies.Policy).toEqual([]);
});

describe("tags", () => {
  test("are given as a JSON list or one by one, listed and removed", async () => {
    const RoleName = await newRole({ Tag: JSON.stringify([{ Key: "team", Value: "data" }]) });
    const PolicyName = await newPolicy({ Tag: [{ Key: "team", Value: "data" }] });
    for (const [ResourceType, name] of [
      ["role", RoleName],
      ["policy", PolicyName],
    ]) {
      const about = { ResourceType, ResourceNames: JSON.stringify([name]) };
      const listed = async () =>
        (await ram("ListTagResources", about)).TagResources.map((one: { TagKey: string; TagValue: string }) => [
          one.TagKey,
          one.TagValue,
        ]);
      expect(await listed()).toEqual([["team", "data"]]);
      await ram("TagResources", { ...about, Tag: JSON.stringify([{ Key: "stage", Value: "test" }]) });
      await ram("UntagResources", { ...about, "TagKey.1": "team", TagKeys: JSON.stringify(["team"]) });
      expect(await listed()).toEqual([["stage", "test"]]);
    }
  });

  test("of something else are refused", async () => {
    const about = { ResourceType: "user", ResourceNames: '["x"]' };
    expect(await refused(ram("ListTagResources", about))).toEqual({ statusCode: 400, code: "InvalidParameter" });
    const missing = { ResourceType: "role", ResourceNames: '["nobody"]' };
    expect(await refused(ram("ListTagResources", missing))).toEqual({ statusCode: 404, code: "EntityNotExist.Role" });
    const noList = { ResourceType: "role", ResourceNames: "nobody" };
    expect(await refused(ram("ListTagResources", noList))).toEqual({ statusCode: 400, code: "InvalidParameter" });
  });
});

test("a session needs permission for the role that it reads", async () => {
  const RoleName = await newRole();
  const reader = fixture.session(["ram:GetRole"], [`acs:ram:*:${ACCOUNT}:role/${RoleName}`]);
  const asReader = rpcCaller(() => fixture.client(reader), "2015-05-01");
  expect((await asReader("GetRole", { RoleName })).Role.RoleName).toBe(RoleName);
  expect(await refused(asReader("DeleteRole", { RoleName }))).toEqual({ statusCode: 403, code: "NoPermission" });
  expect(await refused(asReader("GetRole", { RoleName: "other" }))).toEqual({ statusCode: 403, code: "NoPermission" });
  expect(fixture.calls.map(({ action, resource }) => [action, resource])).toContainEqual([
    "ram:DeleteRole",
    `acs:ram::${ACCOUNT}:role/${RoleName}`,
  ]);
});
