import { type Asked, denials, matches, missingStatements, parsePolicy, withStatements } from "../../../operator/doctor/policy";

const ROLE = "arn:aws:iam::111111111111:role/sender";
const asked: Asked = {
  principals: [ROLE],
  accountId: "111111111111",
  actions: ["s3:GetObject", "s3:ListBucket"],
  resources: ["arn:aws:s3:::reports", "arn:aws:s3:::reports/some-key"],
  facts: { securetransport: "true", sourceip: "public", sourcevpce: undefined, tlsversion: "1.2" },
};

const deny = (more: object) =>
  parsePolicy(JSON.stringify({ Statement: { Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "*", ...more } }));
const denied = (more: object) => denials(deny(more), asked).map(({ actions, unknown }) => ({ actions, unknown }));
const ALL = [{ actions: ["s3:GetObject", "s3:ListBucket"], unknown: [] }];

test.each([
  ["without a condition", {}, ALL],
  ["of one action", { Action: ["s3:Get*"] }, [{ actions: ["s3:GetObject"], unknown: [] }]],
  ["of other actions", { Action: "s3:DeleteBucket" }, []],
  ["of all but one action", { Action: undefined, NotAction: "s3:GetObject" }, [{ actions: ["s3:ListBucket"], unknown: [] }]],
  ["for another bucket", { Resource: "arn:aws:s3:::other/*" }, []],
  ["for all but this bucket", { Resource: undefined, NotResource: ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"] }, []],
  ["for the ARN of the other partition", { Resource: "arn:aws-cn:s3:::reports/*" }, ALL],
  ["for another role", { Principal: { AWS: "arn:aws:iam::111111111111:role/other" } }, []],
  ["for the role", { Principal: { AWS: [ROLE] } }, ALL],
  ["for the account", { Principal: { AWS: "arn:aws:iam::111111111111:root" } }, ALL],
  ["for everybody but the role", { Principal: undefined, NotPrincipal: { AWS: [ROLE] } }, []],
  ["for everybody but another role", { Principal: undefined, NotPrincipal: { AWS: "arn:aws:iam::1:role/x" } }, ALL],
])("a Deny %s", (_, statement, expected) => {
  expect(denied(statement)).toEqual(expected);
});

test.each([
  ["insecure transport", { Bool: { "aws:SecureTransport": "false" } }, []],
  ["another endpoint of a VPC", { StringNotEquals: { "aws:SourceVpce": "vpce-1" } }, ALL],
  ["one endpoint of a VPC", { StringEquals: { "aws:SourceVpce": "vpce-1" } }, []],
  ["a VPC, if there is one", { StringNotEqualsIfExists: { "aws:SourceVpce": "vpce-1" } }, ALL],
  ["no VPC at all", { Null: { "aws:SourceVpce": "true" } }, ALL],
  ["any VPC", { Null: { "aws:SourceVpce": "false" } }, []],
  ["other addresses", { NotIpAddress: { "aws:SourceIp": ["203.0.113.0/24"] } }, ALL],
  ["no address", { NotIpAddress: { "aws:SourceIp": "0.0.0.0/0" } }, []],
  ["an old version of TLS", { NumericLessThan: { "s3:TlsVersion": "1.2" } }, []],
  ["other roles", { ArnNotLike: { "aws:PrincipalArn": [ROLE, "arn:aws:iam::1:role/x"] } }, []],
  ["one role of another kind", { ArnNotEquals: { "aws:PrincipalArn": "arn:aws:iam::1:role/x" } }, ALL],
  [
    "two things of which one does not hold",
    { Bool: { "aws:SecureTransport": "false" }, StringNotEquals: { "aws:SourceVpce": "v" } },
    [],
  ],
  [
    "what is not known here",
    { StringNotEquals: { "aws:PrincipalOrgID": "o-1" } },
    [{ ...ALL[0], unknown: ["aws:PrincipalOrgID"] }],
  ],
  [
    "an operator that is not known here",
    { DateGreaterThan: { "aws:SecureTransport": "x" } },
    [{ ...ALL[0], unknown: ["aws:SecureTransport"] }],
  ],
])("a Deny for %s", (_, Condition, expected) => {
  expect(denied({ Condition })).toEqual(expected);
});

test("the command that exempts the roles makes the finding go away", () => {
  const statement = {
    Effect: "Deny",
    Principal: "*",
    Action: "s3:*",
    Resource: "*",
    Condition: { StringNotEquals: { "aws:SourceVpce": "v" } },
  };
  const exempt = { ...statement, Condition: { ...statement.Condition, ArnNotLike: { "aws:PrincipalArn": [ROLE] } } };
  expect(denials({ Statement: [statement] }, asked)).toHaveLength(1);
  expect(denials({ Statement: [exempt] }, asked)).toEqual([]);
});

test("an Allow is no Deny, and an empty policy has none", () => {
  expect(denials(deny({ Effect: "Allow" }), asked)).toEqual([]);
  expect(denials(parsePolicy(""), asked)).toEqual([]);
  expect(() => parsePolicy("[1]x")).toThrow("the policy is no JSON object");
});

describe("statements that a policy lacks", () => {
  const required = [{ Sid: "Reads", Effect: "Allow", Principal: { AWS: [ROLE] }, Action: ["kms:Decrypt"], Resource: "k" }];
  const missing = (...Statement: object[]) => missingStatements(parsePolicy(JSON.stringify({ Statement })), required, asked);

  test.each([
    ["the account delegates", { Effect: "Allow", Principal: { AWS: "arn:aws:iam::111111111111:root" }, Action: "kms:*" }],
    ["the account delegates by its number", { Effect: "Allow", Principal: { AWS: "111111111111" }, Action: ["kms:*"] }],
    ["the role is named", { Effect: "Allow", Principal: { AWS: ROLE }, Action: "kms:Decrypt" }],
  ])("none: %s", (_, statement) => {
    expect(missing(statement)).toEqual([]);
  });

  test.each([
    ["nothing is allowed", undefined],
    ["another action is", { Effect: "Allow", Principal: "*", Action: "kms:Encrypt" }],
    ["another role is", { Effect: "Allow", Principal: { AWS: "arn:aws:iam::111111111111:role/other" }, Action: "kms:*" }],
    ["only under a condition", { Effect: "Allow", Principal: "*", Action: "kms:*", Condition: { Bool: { "kms:X": "true" } } }],
    ["it is denied", { Effect: "Deny", Principal: "*", Action: "kms:*" }],
  ] as [string, object?][])("one: %s", (_, statement) => {
    expect(missing(...(statement === undefined ? [] : [statement]))).toEqual(required);
  });

  test("they come behind those of others, with an id that is free", () => {
    const others = [{ Sid: "Reads", Effect: "Allow" }, { Sid: "Own" }, { Sid: "Reads2" }];
    const policy = parsePolicy(JSON.stringify({ Version: "2012-10-17", Statement: others }));
    expect(withStatements(policy, required)).toEqual({
      Version: "2012-10-17",
      Statement: [...others, ...required.map((one) => ({ ...one, Sid: "Reads3" }))],
    });
  });
});

test.each([
  ["s3:*", "s3:GetObject", true],
  ["S3:getobject", "s3:GetObject", true],
  ["s3:Get?bject", "s3:GetObject", true],
  ["s3:Get", "s3:GetObject", false],
  ["arn:aws:s3:::a.b/*", "arn:aws:s3:::axb/c", false],
])("%s matches %s: %s", (pattern, text, expected) => {
  expect(matches(pattern, text)).toBe(expected);
});
