import { parsePolicyDocument } from "../../src/ram/policy-document";
import { parseTrustPolicy, trustsService } from "../../src/ram/trust-policy";
import { refusal } from "./refusal";

const GRANT = { Effect: "Allow", Action: "oss:GetObject", Resource: "acs:oss:*:*:bucket/*" };
const policy = (...statements: object[]) => JSON.stringify({ Version: "1", Statement: statements });

test.each([
  ["one action and resource", policy(GRANT)],
  ["lists", policy({ Effect: "Deny", Action: ["oss:*", "mns:SendMessage"], Resource: ["*", "acs:mns:*:1:/queues/q/messages"] })],
  ["NotAction", policy({ Effect: "Allow", NotAction: "ram:*", Resource: "*" })],
  [
    "conditions of every kind",
    policy({
      ...GRANT,
      Condition: {
        StringLike: { "oss:Prefix": ["a/*", "b"] },
        Bool: { "acs:SecureTransport": "true" },
        NotIpAddress: { "acs:SourceIp": ["10.0.0.0/8", "::1"] },
        DateLessThan: { "acs:CurrentTime": "2030-01-01T00:00:00+08:00" },
        NumericGreaterThanEquals: { "x:Size": 5 },
      },
    }),
  ],
])("takes %s", (_, text) => {
  expect(parsePolicyDocument(text)).toEqual(JSON.parse(text));
});

test.each([
  ["no JSON", "{"],
  ["another version", JSON.stringify({ Version: "2012-10-17", Statement: [GRANT] })],
  ["an unknown element", JSON.stringify({ Version: "1", Id: "x", Statement: [GRANT] })],
  ["a statement without its list", JSON.stringify({ Version: "1", Statement: GRANT })],
  ["no statement", policy()],
  ["an unknown element in a statement", policy({ ...GRANT, Sid: "x" })],
  ["a principal", policy({ ...GRANT, Principal: "*" })],
  ["another effect", policy({ ...GRANT, Effect: "allow" })],
  ["no action", policy({ Effect: "Allow", Resource: "*" })],
  ["both kinds of action", policy({ ...GRANT, NotAction: "oss:PutObject" })],
  ["an action without its service", policy({ ...GRANT, Action: "GetObject" })],
  ["no resource", policy({ Effect: "Allow", Action: "*" })],
  ["an empty list of resources", policy({ ...GRANT, Resource: [] })],
  ["a resource of AWS", policy({ ...GRANT, Resource: "arn:aws:s3:::bucket" })],
  ["a resource with a field too few", policy({ ...GRANT, Resource: "acs:oss:*:bucket" })],
  ["an operator that every object inherits", policy({ ...GRANT, Condition: { constructor: { "acs:SourceArn": "x" } } })],
  ["an unknown operator", policy({ ...GRANT, Condition: { ArnEquals: { "acs:SourceArn": "x" } } })],
  ["no range of addresses", policy({ ...GRANT, Condition: { IpAddress: { "acs:SourceIp": "10.0.0.0/33" } } })],
  ["no truth", policy({ ...GRANT, Condition: { Bool: { "acs:SecureTransport": "yes" } } })],
  ["no number", policy({ ...GRANT, Condition: { NumericEquals: { "x:Size": "many" } } })],
  ["no date", policy({ ...GRANT, Condition: { DateGreaterThan: { "acs:CurrentTime": "tomorrow" } } })],
])("refuses %s", (_, text) => {
  expect(refusal(() => parsePolicyDocument(text))).toBe("MalformedPolicyDocument");
});

test("names every invalid place", () => {
  const text = policy(GRANT, { ...GRANT, Effect: "Maybe", Condition: { Like: { a: "b" } } });
  expect(() => parsePolicyDocument(text)).toThrow(
    /Statement\.1\.Effect: .*Statement\.1\.Condition\.Like: is not a condition operator/,
  );
});

test("refuses a document that is too long", () => {
  const long = policy({ ...GRANT, Resource: Array.from({ length: 300 }, (_, index) => `acs:oss:*:*:bucket/${index}/*`) });
  expect(long.length).toBeGreaterThan(6144);
  expect(refusal(() => parsePolicyDocument(long))).toBe("InvalidParameter.PolicyDocument.Length");
});

describe("a trust policy", () => {
  const ASSUME = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: ["fc.aliyuncs.com"] } };

  test.each([
    ["the service it names", policy(ASSUME), true],
    [
      "a service that is one of several",
      policy({ ...ASSUME, Principal: { Service: ["oss.aliyuncs.com", "fc.aliyuncs.com"] } }),
      true,
    ],
    ["not another service", policy({ ...ASSUME, Principal: { Service: "oss.aliyuncs.com" } }), false],
    ["not the account in a service's place", policy({ ...ASSUME, Principal: { RAM: ["acs:ram::1:root"] } }), false],
    ["not what it denies besides", policy(ASSUME, { ...ASSUME, Effect: "Deny" }), false],
    [
      "not under a condition that is never met",
      policy({ ...ASSUME, Condition: { StringEquals: { "sts:ExternalId": "x" } } }),
      false,
    ],
  ])("trusts %s", (_, text, trusted) => {
    expect(trustsService(parseTrustPolicy(text), "fc.aliyuncs.com")).toBe(trusted);
  });

  test.each([
    ["another action", policy({ ...ASSUME, Action: "sts:*" })],
    ["a resource", policy({ ...ASSUME, Resource: "*" })],
    ["a statement without a principal", policy({ ...ASSUME, Principal: {} })],
    ["everybody", policy({ ...ASSUME, Principal: "*" })],
    ["a service of another cloud", policy({ ...ASSUME, Principal: { Service: "lambda.amazonaws.com" } })],
  ])("does not take %s", (_, text) => {
    expect(refusal(() => parseTrustPolicy(text))).toBe("MalformedPolicyDocument");
  });
});
