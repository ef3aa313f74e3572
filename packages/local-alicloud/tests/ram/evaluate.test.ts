import { evaluatePolicies } from "../../src/ram/evaluate";
import type { PolicyDocument, Statement } from "../../src/ram/policy-document";

const REQUEST = {
  action: "oss:PutObject",
  resource: "acs:oss:cn-shanghai:33:orders/2026/a:b",
  conditions: {
    "acs:SourceIp": "10.1.2.3",
    "acs:SecureTransport": "true",
    "acs:CurrentTime": "2026-11-21T12:00:00.000Z",
    "oss:Prefix": "a/B",
  },
};

const document = (...statements: Partial<Statement>[]): PolicyDocument => ({
  Version: "1",
  Statement: statements.map((statement) => ({ Effect: "Allow", Resource: "*", ...statement })),
});
const decide = (...statements: Partial<Statement>[]) => evaluatePolicies([document(...statements)], REQUEST);

test("no statement means none, and a Deny wins in any order", () => {
  const grant = document({ Action: "*" });
  const denial = document({ Effect: "Deny", Action: "oss:Put*" });
  expect(evaluatePolicies([], REQUEST)).toBe("none");
  expect(evaluatePolicies([grant], REQUEST)).toBe("allow");
  expect(evaluatePolicies([grant, denial], REQUEST)).toBe("deny");
  expect(evaluatePolicies([denial, grant], REQUEST)).toBe("deny");
  expect(evaluatePolicies([document({ Effect: "Deny", Action: "oss:GetObject" }), grant], REQUEST)).toBe("allow");
});

test.each([
  ["oss:PutObject", "allow"],
  ["OSS:putobject", "allow"],
  ["oss:Put*", "allow"],
  ["oss:???Object", "allow"],
  ["*", "allow"],
  ["oss:PutObjectTagging", "none"],
  ["oss:Put", "none"],
  ["oss:?PutObject", "none"],
  ["oss.PutObject", "none"],
])("action %s: %s", (action, decision) => {
  expect(decide({ Action: action })).toBe(decision);
});

test("NotAction matches every other action", () => {
  expect(decide({ NotAction: "oss:putobject" })).toBe("none");
  expect(decide({ NotAction: ["oss:GetObject", "ram:*"] })).toBe("allow");
});

test.each([
  ["acs:oss:cn-shanghai:33:orders/2026/a:b", "allow"],
  ["acs:oss:*:*:orders/2026/*", "allow"],
  ["acs:oss:cn-*:33:orders/????/a:b", "allow"],
  ["acs:oss:*:*:orders/*:b", "allow"],
  ["acs:*:*:*:*", "allow"],
  ["*", "allow"],
  ["acs:oss:*:*:orders", "none"],
  ["acs:oss:*:*:ORDERS/*", "none"],
  ["acs:oss:*:*:orders/2027/*", "none"],
  ["acs:oss:us-west-1:*:orders/*", "none"],
  ["acs:oss:*:34:orders/*", "none"],
  ["acs:oss:*:orders/*", "none"],
  ["acs:oss:*:*:order.*", "none"],
])("resource %s: %s", (resource, decision) => {
  expect(decide({ Action: "oss:*", Resource: resource })).toBe(decision);
});

test.each<[Statement["Condition"], boolean]>([
  [{ StringEquals: { "oss:Prefix": "a/B" } }, true],
  [{ StringEquals: { "oss:Prefix": "a/b" } }, false],
  [{ StringEquals: { "oss:Prefix": ["x", "a/B"] } }, true],
  [{ StringEqualsIgnoreCase: { "oss:Prefix": "A/b" } }, true],
  [{ StringNotEquals: { "oss:Prefix": ["x", "a/B"] } }, false],
  [{ StringNotEquals: { "oss:Prefix": ["x", "y"] } }, true],
  [{ StringLike: { "oss:Prefix": "a/*" } }, true],
  [{ StringNotLike: { "oss:Prefix": "a/*" } }, false],
  [{ Bool: { "acs:SecureTransport": "true" } }, true],
  [{ Bool: { "acs:SecureTransport": false } }, false],
  [{ IpAddress: { "acs:SourceIp": "10.0.0.0/8" } }, true],
  [{ IpAddress: { "acs:SourceIp": ["10.1.2.4", "10.1.2.3"] } }, true],
  [{ NotIpAddress: { "acs:SourceIp": "10.1.0.0/16" } }, false],
  [{ IpAddress: { "acs:SourceIp": "::1" } }, false],
  [{ IpAddress: { "oss:Prefix": "10.0.0.0/8" } }, false],
  [{ DateGreaterThan: { "acs:CurrentTime": "2026-11-21T12:00:00+08:00" } }, true],
  [{ DateLessThan: { "acs:CurrentTime": "2026-11-21T12:00:00Z" } }, false],
  [{ DateLessThanEquals: { "acs:CurrentTime": "2026-11-21T12:00:00Z" } }, true],
  [{ NumericLessThan: { "oss:Prefix": 5 } }, false],
  [{ StringEquals: { "oss:Prefix": "a/B" }, Bool: { "acs:SecureTransport": "false" } }, false],
  [{ StringEquals: { "oss:Prefix": "a/B", "oss:Delimiter": "/" } }, false],
])("condition %j: %s", (condition, holds) => {
  expect(decide({ Action: "*", Condition: condition })).toBe(holds ? "allow" : "none");
});

test("a pattern with many wildcards takes milliseconds", () => {
  const resource = `acs:oss:*:*:${"*a".repeat(40)}*b`;
  const startedAt = performance.now();
  const request = { ...REQUEST, resource: `acs:oss:cn-shanghai:33:${"a".repeat(1000)}` };
  expect(evaluatePolicies([document({ Action: "*", Resource: resource })], request)).toBe("none");
  expect(performance.now() - startedAt).toBeLessThan(200);
});

test("names that every object inherits are neither operators nor keys", () => {
  for (const name of ["constructor", "toString", "__proto__"]) {
    const conditions = JSON.parse(
      `[{"${name}":{"oss:Prefix":"x"}},{"StringEquals":{"${name}":"x"}}]`,
    ) as Statement["Condition"][];
    for (const condition of conditions) expect(decide({ Action: "*", Condition: condition })).toBe("none");
  }
});

test("a condition that cannot be evaluated does not allow, and does deny", () => {
  const missing = { StringNotEquals: { "acs:SourceVpc": "vpc-1" } };
  const unknown = { ArnLike: { "acs:SourceArn": "*" } };
  for (const condition of [missing, unknown]) {
    expect(decide({ Action: "*", Condition: condition })).toBe("none");
    expect(decide({ Effect: "Deny", Action: "*", Condition: condition })).toBe("deny");
  }
  // A plain operator on a missing key matches neither.
  expect(decide({ Effect: "Deny", Action: "*", Condition: { StringEquals: { "acs:SourceVpc": "vpc-1" } } })).toBe("none");
});
