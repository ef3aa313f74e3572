import type { CallRecord, Ram } from "../../src/contracts";
import { createRam } from "../../src/ram/ram";
import { refusal } from "./refusal";

const ACCOUNT = "3333333333333333";
const FC = "fc.aliyuncs.com";
const trust = (service: string) =>
  JSON.stringify({ Version: "1", Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: [service] } }] });
const policy = (action: string, resource = "*", effect = "Allow") =>
  JSON.stringify({ Version: "1", Statement: [{ Effect: effect, Action: action, Resource: resource }] });

let now = Date.parse("2026-11-21T12:00:00Z");
let calls: CallRecord[];
let ram: Ram;
beforeEach(() => {
  calls = [];
  ram = createRam({ accountId: ACCOUNT, now: () => now, onCall: (call) => calls.push(call) });
});

const assume = (arn = `acs:ram::${ACCOUNT}:role/Sender`, durationMs = 900_000) =>
  ram.assumeRole(arn, { service: FC, sessionName: "session", durationMs });
const may = (accessKeyId: string, action: string, resource = "acs:oss:cn-shanghai:3333333333333333:b/k") => {
  const credential = ram.find(accessKeyId);
  return credential && ram.authorize(credential.principal, action, resource, { conditions: {} });
};

describe("a role", () => {
  test("is created, changed and found by its case-insensitive name", () => {
    const role = ram.createRole({ roleName: "Sender", assumeRolePolicyDocument: trust(FC), description: "sends" });
    expect(role).toEqual({
      roleName: "Sender",
      roleId: expect.stringMatching(/^\d{18}$/),
      arn: `acs:ram::${ACCOUNT}:role/Sender`,
      assumeRolePolicyDocument: trust(FC),
      description: "sends",
      maxSessionDuration: 3600,
      createDate: "2026-11-21T12:00:00Z",
    });
    expect(ram.getRole("sender")).toEqual(role);
    expect(ram.updateRole("Sender", { maxSessionDuration: 43_200 })).toEqual({ ...role, maxSessionDuration: 43_200 });
    ram.deleteRole("Sender");
    expect(ram.getRole("Sender")).toBeUndefined();
  });

  test.each([
    ["a second time", { roleName: "SENDER" }, "EntityAlreadyExists.Role"],
    ["with another character", { roleName: "send_er" }, "InvalidParameter.RoleName"],
    ["without a name", { roleName: "" }, "InvalidParameter.RoleName"],
    ["without a trust policy", { assumeRolePolicyDocument: "{}" }, "MalformedPolicyDocument"],
    ["for too long", { maxSessionDuration: 43_201 }, "InvalidParameter.MaxSessionDuration"],
    ["with too much to say", { description: "x".repeat(1025) }, "InvalidParameter.Description.Length"],
  ])("is refused %s", (_, settings, code) => {
    ram.createRole({ roleName: "Sender", assumeRolePolicyDocument: trust(FC) });
    expect(refusal(() => ram.createRole({ roleName: "Other", assumeRolePolicyDocument: trust(FC), ...settings }))).toBe(code);
  });

  test("does not change when an update is refused", () => {
    const role = ram.createRole({ roleName: "Sender", assumeRolePolicyDocument: trust(FC) });
    expect(refusal(() => ram.updateRole("Sender", { description: "new", assumeRolePolicyDocument: "[]" }))).toBe(
      "MalformedPolicyDocument",
    );
    expect(ram.getRole("Sender")).toEqual(role);
    expect(refusal(() => ram.updateRole("Missing", {}))).toBe("EntityNotExist.Role");
    expect(refusal(() => ram.deleteRole("Missing"))).toBe("EntityNotExist.Role");
  });
});

describe("a policy", () => {
  beforeEach(() => {
    ram.createRole({ roleName: "Sender", assumeRolePolicyDocument: trust(FC) });
    ram.createPolicy({ policyName: "read", policyDocument: policy("oss:GetObject") });
  });

  test("is attached, listed, detached and deleted, in this order only", () => {
    ram.attachPolicyToRole("read", "Sender");
    expect(ram.policiesOfRole("Sender")).toEqual([
      { policyName: "read", policyDocument: policy("oss:GetObject"), description: "", createDate: "2026-11-21T12:00:00Z" },
    ]);
    expect(refusal(() => ram.attachPolicyToRole("read", "sender"))).toBe("EntityAlreadyExists.Role.Policy");
    expect(refusal(() => ram.deletePolicy("read"))).toBe("DeleteConflict.Policy.Role");
    expect(refusal(() => ram.deleteRole("Sender"))).toBe("DeleteConflict.Role.Policy");
    ram.detachPolicyFromRole("read", "Sender");
    expect(refusal(() => ram.detachPolicyFromRole("read", "Sender"))).toBe("EntityNotExist.Role.Policy");
    ram.deleteRole("Sender");
    ram.deletePolicy("read");
    expect(ram.getPolicy("read")).toBeUndefined();
  });

  test("gets a new description, and keeps its document", () => {
    expect(ram.updatePolicyDescription("read", "reads")).toMatchObject({ description: "reads" });
    expect(ram.getPolicy("read")).toMatchObject({ description: "reads", policyDocument: policy("oss:GetObject") });
    expect(refusal(() => ram.updatePolicyDescription("none", ""))).toBe("EntityNotExist.Policy");
    expect(refusal(() => ram.updatePolicyDescription("read", "x".repeat(1025)))).toBe("InvalidParameter.Description.Length");
  });

  test("must exist, be unique and well-formed", () => {
    expect(refusal(() => ram.createPolicy({ policyName: "Read", policyDocument: policy("*") }))).toBe(
      "EntityAlreadyExists.Policy",
    );
    expect(refusal(() => ram.createPolicy({ policyName: "a_b", policyDocument: policy("*") }))).toBe(
      "InvalidParameter.PolicyName",
    );
    expect(refusal(() => ram.updatePolicy("read", "{}"))).toBe("MalformedPolicyDocument");
    expect(ram.getPolicy("read")?.policyDocument).toBe(policy("oss:GetObject"));
    expect(refusal(() => ram.updatePolicy("none", policy("*")))).toBe("EntityNotExist.Policy");
    expect(refusal(() => ram.attachPolicyToRole("none", "Sender"))).toBe("EntityNotExist.Policy");
    expect(refusal(() => ram.attachPolicyToRole("read", "Missing"))).toBe("EntityNotExist.Role");
    expect(refusal(() => ram.policiesOfRole("Missing"))).toBe("EntityNotExist.Role");
  });
});

describe("a session", () => {
  beforeEach(() => {
    ram.createRole({ roleName: "Sender", assumeRolePolicyDocument: trust(FC) });
    ram.createPolicy({ policyName: "read", policyDocument: policy("oss:GetObject", `acs:oss:*:${ACCOUNT}:b/*`) });
    ram.attachPolicyToRole("read", "Sender");
  });

  test("has its own keys and the name of its role", () => {
    const [one, other] = [assume(), assume()];
    expect(one.accessKeyId).toMatch(/^STS\.\w{24}$/);
    expect(one.accessKeyId).not.toBe(other.accessKeyId);
    expect(one.securityToken).not.toBe(other.securityToken);
    expect(one.expiresAt).toBe(now + 900_000);
    expect(ram.find(one.accessKeyId)).toEqual({
      secret: one.accessKeySecret,
      sessionToken: one.securityToken,
      expiresAt: one.expiresAt,
      principal: { accountId: ACCOUNT, arn: `acs:ram::${ACCOUNT}:assumed-role/Sender/session` },
    });
    expect(ram.find("STS.unknown")).toBeUndefined();
  });

  test("is for services that the role trusts, and every attempt is recorded", () => {
    assume();
    const assumeFor = (service: string) => () =>
      ram.assumeRole(`acs:ram::${ACCOUNT}:role/Sender`, { service, sessionName: "session", durationMs: 1000 });
    expect(refusal(assumeFor("oss.aliyuncs.com"))).toBe("NoPermission");
    expect(calls).toEqual(
      [true, false].map((allowed) => ({
        principal: undefined,
        action: "sts:AssumeRole",
        resource: `acs:ram::${ACCOUNT}:role/Sender`,
        allowed,
      })),
    );
    ram.updateRole("Sender", { assumeRolePolicyDocument: trust("oss.aliyuncs.com") });
    expect(assumeFor("oss.aliyuncs.com")).not.toThrow();
    expect(refusal(() => assume())).toBe("NoPermission");
    expect(refusal(() => assume(`acs:ram::${ACCOUNT}:role/Missing`))).toBe("EntityNotExist.Role");
    expect(refusal(() => assume("acs:ram::4444444444444444:role/Sender"))).toBe("EntityNotExist.Role");
  });

  test("has the current permissions of the role", () => {
    const { accessKeyId } = assume();
    expect(may(accessKeyId, "oss:GetObject")).toBe("allow");
    expect(may(accessKeyId, "oss:GetObject", `acs:oss:cn-shanghai:${ACCOUNT}:c/k`)).toBe("none");
    expect(may(accessKeyId, "oss:PutObject")).toBe("none");
    ram.updatePolicy("read", policy("oss:PutObject"));
    expect([may(accessKeyId, "oss:GetObject"), may(accessKeyId, "oss:PutObject")]).toEqual(["none", "allow"]);
    ram.createPolicy({ policyName: "no", policyDocument: policy("*", "*", "Deny") });
    ram.attachPolicyToRole("no", "Sender");
    expect(may(accessKeyId, "oss:PutObject")).toBe("deny");
    ram.detachPolicyFromRole("no", "Sender");
    ram.detachPolicyFromRole("read", "Sender");
    expect(may(accessKeyId, "oss:PutObject")).toBe("none");
  });

  test("ends with its role, also when a new role has the name", () => {
    const { accessKeyId } = assume();
    ram.detachPolicyFromRole("read", "Sender");
    ram.deleteRole("Sender");
    expect(ram.find(accessKeyId)).toBeUndefined();
    ram.createRole({ roleName: "Sender", assumeRolePolicyDocument: trust(FC) });
    expect(ram.find(accessKeyId)).toBeUndefined();
  });

  test("is remembered for an hour after its end", () => {
    const { accessKeyId, expiresAt } = assume();
    now = expiresAt + 3_600_000;
    expect(ram.find(accessKeyId)?.expiresAt).toBe(expiresAt);
    now += 60_001;
    expect(ram.find(accessKeyId)).toBeUndefined();
  });
});

describe("with a propagation delay", () => {
  beforeEach(() => {
    ram = createRam({ accountId: ACCOUNT, now: () => now, propagationMs: 5000 });
    ram.createRole({ roleName: "Sender", assumeRolePolicyDocument: trust(FC) });
    ram.createPolicy({ policyName: "read", policyDocument: policy("oss:GetObject") });
  });

  test("a service does not know a new role; RAM itself does", () => {
    expect(ram.getRole("Sender")).toBeDefined();
    now += 4999;
    expect(refusal(() => assume())).toBe("AccessDenied");
    now += 1;
    expect(() => assume()).not.toThrow();
  });

  test("a new attachment of a policy allows nothing yet", () => {
    now += 5000;
    ram.attachPolicyToRole("read", "Sender");
    const { accessKeyId } = assume();
    now += 4999;
    expect(may(accessKeyId, "oss:GetObject")).toBe("none");
    now += 1;
    expect(may(accessKeyId, "oss:GetObject")).toBe("allow");
  });
});

test("the root may do everything in its account, another account nothing", () => {
  const principal = ram.find(ram.root.accessKeyId)?.principal;
  expect(principal).toEqual({ accountId: ACCOUNT, arn: `acs:ram::${ACCOUNT}:root` });
  expect(may(ram.root.accessKeyId, "fc:DeleteFunction")).toBe("allow");
  const stranger = { accountId: "4444444444444444", arn: "acs:ram::4444444444444444:root" };
  expect(ram.authorize(stranger, "oss:GetObject", "*", { conditions: {} })).toBe("none");
  expect(createRam({ accountId: ACCOUNT }).root).not.toEqual(ram.root);
});
