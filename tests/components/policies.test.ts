import { isDeepStrictEqual } from "node:util";
import {
  copierPolicy,
  grantedTo,
  invokerPolicy,
  literal,
  objectArns,
  proberPolicy,
  queuePolicy,
  receiverEndpointPolicy,
  receiverPolicy,
  secureTransportPolicy,
  senderPolicy,
} from "../../components/aws/policies";
import { quietly } from "./bridge-fixture";

beforeEach(quietly);

const FROM = "arn:aws:s3:::from-here";

test.each([
  ["plain/", "plain/"],
  ["what?*", `what\${?}\${*}`],
  ["a$b", `a\${$}b`],
])("IAM reads %s literally", (prefix, expected) => {
  expect(literal(prefix)).toBe(expected);
});

describe("lists of prefixes", () => {
  test.each([
    ["none", []],
    ["every key among others", ["in/", ""]],
    ["too many to list", Array.from({ length: 100 }, (_, index) => `prefix-${index}/`)],
    ["too long to list", ["x".repeat(1024), "y".repeat(1024), "z".repeat(1024)]],
  ])("%s: the whole bucket", (_, prefixes) => {
    expect(objectArns(FROM, prefixes)).toEqual([`${FROM}/*`]);
  });

  test("each once, within what there is room for", () => {
    const [one, other] = ["one/", "other/"].map((prefix) => `${FROM}/${prefix}*`);
    expect(objectArns(FROM, ["one/", "other/", "one/"])).toEqual([one, other]);
    const characters = JSON.stringify([one, other]).length;
    expect(objectArns(FROM, ["one/", "other/"], characters)).toHaveLength(2);
    expect(objectArns(FROM, ["one/", "other/"], characters - 1)).toEqual([`${FROM}/*`]);
  });
});

test("a grant to identities names their account, in their partition, and the identities in a condition", () => {
  const roles = ["receiver", "copier"].map((name) => `arn:aws-cn:iam::222222222222:role/crossborderbridge-b-${name}`);
  const statement = {
    Effect: "Allow" as const,
    Action: ["kms:Decrypt"],
    Resource: "key",
    Condition: { StringLike: { "kms:ViaService": "s3" } },
  };
  expect(grantedTo(roles, statement)).toEqual({
    ...statement,
    Principal: { AWS: "arn:aws-cn:iam::222222222222:root" },
    Condition: { ...statement.Condition, StringEquals: { "aws:PrincipalArn": roles } },
  });
});

test("with auth: iam the receiver's API admits one user, from the allowlist only", () => {
  const methodArn = "arn:aws-cn:execute-api:cn-north-1:222222222222:api1/v1/POST/notices";
  const invokerArn = "arn:aws-cn:iam::222222222222:user/crossborderbridge-b-invoker";
  expect(receiverEndpointPolicy({ methodArn, allowedCidrs: ["203.0.113.7/32"], invokerArn }).Statement.at(-1)).toEqual({
    Sid: "AllowSender",
    Effect: "Allow",
    Principal: { AWS: "arn:aws-cn:iam::222222222222:root" },
    Action: "execute-api:Invoke",
    Resource: methodArn,
    Condition: { IpAddress: { "aws:SourceIp": ["203.0.113.7/32"] }, StringEquals: { "aws:PrincipalArn": invokerArn } },
  });
});

test("every inline policy stays within IAM's 10,240 characters at its largest", () => {
  const long = "x".repeat(512);
  const bucketArn = `arn:aws-cn:s3:::${"b".repeat(63)}`;
  const arns = {
    bucketArn,
    kmsKeyArn: FROM,
    queueArn: long,
    outageQueueArn: long,
    deadLetterArn: long,
    parameterArns: [long, long],
  };
  const scopes = [
    Array.from({ length: 50 }, (_, index) => `${index}/`.padEnd(40, "p")),
    Array.from({ length: 5 }, (_, index) => `${index}/`.padEnd(512, "?")),
    Array.from({ length: 20 }, (_, index) => `${index}/`.padEnd(40, "p")),
  ];
  const documents = [
    ...scopes.map((prefixes) =>
      senderPolicy({ ...arns, prefixes, tagging: ["s3:PutObjectTagging", "s3:PutObjectVersionTagging"] }),
    ),
    receiverPolicy({ ...arns, prefix: long, controlPrefix: long, deletes: "replicate", copierArn: FROM }),
    copierPolicy({ ...arns, prefix: long, controlPrefix: long }),
    invokerPolicy(long),
    queuePolicy({ queueArn: long, events: { bucketArn, accountId: "111111111111", storageService: "s3.amazonaws.com" } }),
    secureTransportPolicy(FROM),
    receiverEndpointPolicy({ methodArn: FROM, allowedCidrs: Array.from({ length: 100 }, () => "255.255.255.255/32") }),
  ];
  for (const document of documents) expect(JSON.stringify(document).length).toBeLessThan(10_240);
});

test("a prefix with characters that IAM refuses gets a wildcard for them", () => {
  // https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html: the pattern of a policy document.
  const accepted = /^[\t\n\r -ÿ]+$/;
  const prefixes = ["财务/报告/", "q1/é/", "emoji-😀/x"];
  expect(objectArns("arn:aws:s3:::from", prefixes)).toEqual([
    "arn:aws:s3:::from/*/*/*",
    "arn:aws:s3:::from/q1/é/*",
    "arn:aws:s3:::from/emoji-*/x*",
  ]);
  const arn = "arn:aws:sqs:us-east-1:111111111111:q";
  const document = senderPolicy({
    bucketArn: "arn:aws:s3:::from",
    prefixes,
    tagging: [],
    queueArn: arn,
    outageQueueArn: arn,
    deadLetterArn: arn,
    parameterArns: ["arn:aws:ssm:us-east-1:111111111111:parameter/p"],
  });
  expect(JSON.stringify(document)).toMatch(accepted);
});

test.each([
  [undefined, true],
  ["arn:aws:kms:eu-west-1:111111111111:key/1", false],
])("with kmsKeyArn %s, the roles that write may ask for the default encryption: %s", (kmsKeyArn, expected) => {
  const of = { bucketArn: FROM, prefix: "", controlPrefix: ".crossborderbridge/b/", kmsKeyArn };
  const documents = [
    receiverPolicy({ ...of, deletes: "ignore", copierArn: FROM, parameterArns: [] }),
    copierPolicy(of),
    proberPolicy({ ...of, puts: true, tagged: false, removal: [] }),
  ];
  const asks = { Action: ["s3:GetEncryptionConfiguration"], Resource: [FROM] };
  for (const { Statement } of documents)
    expect(Statement.some(({ Action, Resource }) => isDeepStrictEqual({ Action, Resource }, asks))).toBe(expected);
});
