/** Policies of buckets that no console writes. A bucket's policy is asked at each of its requests. */
import { evaluate, isPublic, parsePolicy } from "../../src/oss/policy";

const STATEMENT = { Effect: "Allow", Principal: ["*"], Action: ["oss:*"], Resource: ["acs:oss:*:*:bucket/*"] };
const text = (more: object) => JSON.stringify({ Version: "1", Statement: [{ ...STATEMENT, ...more }] });
const REQUEST = {
  principal: undefined,
  action: "oss:GetObject",
  resource: "acs:oss:cn-shanghai:33:bucket/key",
  conditions: { "acs:SecureTransport": "true", "acs:SourceIp": "10.1.2.3" },
};

test.each([
  ["nothing", "null"],
  ["a list", "[]"],
  ["a statement that is none", '{"Version":"1","Statement":[null]}'],
  ["an action that is a number", text({ Action: [5] })],
  ["an action that is an object", text({ Action: { a: "b" } })],
  ["an action that is null", text({ Action: null })],
  ["a principal that is a number", text({ Principal: 5 })],
  ["a resource that is a number", text({ Resource: [1] })],
  ["a condition that is a text", text({ Condition: "a" })],
  ["an operator without keys", text({ Condition: { StringEquals: null } })],
  ["a list of lists", text({ Condition: { StringEquals: { "oss:Prefix": [["a"]] } } })],
  ["a range that is none", text({ Condition: { IpAddress: { "acs:SourceIp": ["10.0.0.0/99"] } } })],
  ["an operator that every object inherits", text({ Condition: { constructor: { "oss:Prefix": "a" } } })],
])("with %s is refused", (_what, policy) => {
  expect(() => parsePolicy(policy)).toThrow(expect.objectContaining({ status: 400, code: "MalformedPolicy" }));
});

test("a truth in a condition is compared", () => {
  const policy = (value: boolean) => parsePolicy(text({ Condition: { Bool: { "acs:SecureTransport": value } } }));
  expect(evaluate(policy(true), REQUEST)).toBe("allow");
  expect(evaluate(policy(false), REQUEST)).toBe("none");
});

test("a key that every object inherits is none of the request's", () => {
  const policy = parsePolicy(text({ Condition: { StringEquals: { constructor: "a" } } }));
  expect(evaluate(policy, REQUEST)).toBe("none");
});

test("many wildcards are compared in milliseconds", () => {
  const policy = parsePolicy(text({ Resource: `acs:oss:*:*:bucket/${"*a".repeat(40)}*b` }));
  const startedAt = performance.now();
  expect(evaluate(policy, { ...REQUEST, resource: `acs:oss:cn-shanghai:33:bucket/${"a".repeat(1000)}` })).toBe("none");
  expect(performance.now() - startedAt).toBeLessThan(200);
});

test("an empty condition holds for everyone, so Block Public Access forbids it", () => {
  const inOneRange = { IpAddress: { "acs:SourceIp": "10.0.0.0/8" } };
  for (const condition of [undefined, {}, { StringEquals: {} }])
    expect(isPublic(parsePolicy(text({ Condition: condition })))).toBe(true);
  expect(isPublic(parsePolicy(text({ Condition: inOneRange })))).toBe(false);
});
