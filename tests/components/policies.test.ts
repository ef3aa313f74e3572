import {
  copierPolicy,
  invokerPolicy,
  literal,
  objectArns,
  queuePolicy,
  receiverEndpointPolicy,
  receiverPolicy,
  secureTransportPolicy,
  senderPolicy,
} from "../../components/aws/policies";
import { build, policyOf, quietly } from "./bridge-fixture";

beforeEach(quietly);

const FROM = "arn:aws:s3:::from-here";
const TO = "arn:aws-cn:s3:::to-there";
const allow = (Sid: string, Action: string[], Resource: string[]) => ({ Sid, Effect: "Allow", Action, Resource });

describe("what each role may do", () => {
  test("the sender, at its least", async () => {
    expect(
      policyOf(await build({ buffer: "none", auth: { tokenParameter: "ours" }, token: undefined }), "b-sender-policy"),
    ).toEqual({
      Version: "2012-10-17",
      Statement: [
        allow("ReadSource", ["s3:GetObject", "s3:GetObjectTagging"], [`${FROM}/*`]),
        allow("TellMissingFromForbidden", ["s3:ListBucket"], [FROM]),
        allow("Park", ["sqs:SendMessage"], ["arn:aws:sqs:us-east-1:111111111111:crossborderbridge-b-dead-letters"]),
        allow("ReadSecrets", ["ssm:GetParameter"], ["arn:aws:ssm:us-east-1:111111111111:parameter/ours"]),
        allow(
          "WriteLogs",
          ["logs:CreateLogStream", "logs:PutLogEvents"],
          ["arn:aws:logs:us-east-1:111111111111:log-group:/aws/lambda/crossborderbridge-b-sender:*"],
        ),
      ],
    });
  });

  test("the sender, with everything on", async () => {
    const key = "arn:aws:kms:us-east-1:111111111111:key/k1";
    const recording = await build({
      auth: { kind: "iam" },
      statusTags: true,
      scope: { prefixes: ["in/", "odd*$x/"] },
      source: { kmsKeyArn: key },
    });
    const objects = [`${FROM}/in/*`, `${FROM}/odd\${*}\${$}x/*`];
    expect((policyOf(recording, "b-sender-policy") as { Statement: unknown[] }).Statement.slice(0, -1)).toEqual([
      allow("ReadSource", ["s3:GetObject", "s3:GetObjectTagging"], objects),
      allow("TellMissingFromForbidden", ["s3:ListBucket"], [FROM]),
      allow("TagStatus", ["s3:PutObjectVersionTagging"], objects),
      allow("DecryptSource", ["kms:Decrypt"], [key]),
      allow(
        "WorkQueue",
        ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage"],
        ["arn:aws:sqs:us-east-1:111111111111:crossborderbridge-b-queue"],
      ),
      allow("Park", ["sqs:SendMessage"], ["arn:aws:sqs:us-east-1:111111111111:crossborderbridge-b-dead-letters"]),
      allow(
        "ReadSecrets",
        ["ssm:GetParameter"],
        [
          "arn:aws:ssm:us-east-1:111111111111:parameter/crossborderbridge/b/source/token",
          "arn:aws:ssm:us-east-1:111111111111:parameter/crossborderbridge/b/source/invoker",
        ],
      ),
    ]);
  });

  test.each([
    [{ versioning: false }, ["s3:PutObjectTagging"]],
    [{ adopt: true }, ["s3:PutObjectTagging", "s3:PutObjectVersionTagging"]],
    [{}, ["s3:PutObjectVersionTagging"]],
  ])("status tags on a source with %j", async (source, actions) => {
    const { Statement } = policyOf(await build({ statusTags: true, source }), "b-sender-policy") as {
      Statement: { Sid: string; Action: string[] }[];
    };
    expect(Statement.find(({ Sid }) => Sid === "TagStatus")?.Action).toEqual(actions);
  });

  test.each([
    ["ignore", []],
    ["replicate", ["s3:DeleteObject"]],
  ] as const)("the receiver, with deletes: %s", async (deletes, more) => {
    expect(policyOf(await build({ deletes, destination: { prefix: "copies/" } }), "b-receiver-policy")).toEqual({
      Version: "2012-10-17",
      Statement: [
        allow(
          "WriteDestination",
          ["s3:GetObject", "s3:PutObject", "s3:GetObjectTagging", "s3:PutObjectTagging", "s3:AbortMultipartUpload", ...more],
          [`${TO}/copies/*`],
        ),
        allow("KeepRecords", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [`${TO}/.crossborderbridge/b/*`]),
        allow("TellMissingFromForbidden", ["s3:ListBucket"], [TO]),
        allow(
          "StartCopies",
          ["lambda:InvokeFunction"],
          ["arn:aws-cn:lambda:cn-north-1:222222222222:function:crossborderbridge-b-copier"],
        ),
        allow(
          "ReadSecrets",
          ["ssm:GetParameter"],
          ["arn:aws-cn:ssm:cn-north-1:222222222222:parameter/crossborderbridge/b/destination/token"],
        ),
        allow(
          "WriteLogs",
          ["logs:CreateLogStream", "logs:PutLogEvents"],
          ["arn:aws-cn:logs:cn-north-1:222222222222:log-group:/aws/lambda/crossborderbridge-b-receiver:*"],
        ),
      ],
    });
  });

  test("the copier", async () => {
    const key = "arn:aws-cn:kms:cn-north-1:222222222222:key/k2";
    const recording = await build({ destination: { kmsKeyArn: key } });
    expect((policyOf(recording, "b-copier-policy") as { Statement: unknown[] }).Statement.slice(0, -1)).toEqual([
      allow(
        "WriteDestination",
        [
          "s3:GetObject",
          "s3:PutObject",
          "s3:GetObjectTagging",
          "s3:PutObjectTagging",
          "s3:AbortMultipartUpload",
          "s3:ListMultipartUploadParts",
        ],
        [`${TO}/*`],
      ),
      allow("KeepRecords", ["s3:GetObject", "s3:PutObject"], [`${TO}/.crossborderbridge/b/*`]),
      allow("TellMissingFromForbidden", ["s3:ListBucket"], [TO]),
      allow("EncryptDestination", ["kms:GenerateDataKey", "kms:Decrypt"], [key]),
    ]);
  });

  test("the invoke-only user may call one method", async () => {
    expect(policyOf(await build({ auth: { kind: "iam" } }), "b-receiver-invoker-policy")).toEqual({
      Version: "2012-10-17",
      Statement: [
        allow("InvokeReceiver", ["execute-api:Invoke"], ["arn:aws-cn:execute-api:cn-north-1:222222222222:api1/v1/POST/notices"]),
      ],
    });
  });

  test("each role trusts Lambda alone", async () => {
    const recording = await build();
    for (const role of ["sender", "receiver", "copier"]) {
      expect(policyOf(recording, `b-${role}-role`, "assumeRolePolicy")).toEqual({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
      });
    }
  });
});

describe("who may reach what", () => {
  const method = "arn:aws-cn:execute-api:cn-north-1:222222222222:api1/v1/POST/notices";

  test.each([
    ["token", {}, "*", ["198.51.100.0/24"]],
    [
      "iam",
      { auth: { kind: "iam" } },
      { AWS: "arn:aws-cn:iam::222222222222:user/crossborderbridge-b-invoker" },
      ["198.51.100.0/24"],
    ],
    ["token behind a fixed address", { egress: "static" }, "*", ["198.51.100.0/24", "203.0.113.7/32"]],
  ] as const)("the receiver, with %s", async (_, variation, principal, addresses) => {
    expect(policyOf(await build(variation), "b-receiver-endpoint-policy")).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "DenyOtherAddresses",
          Effect: "Deny",
          Principal: "*",
          Action: "execute-api:Invoke",
          Resource: method,
          Condition: { NotIpAddress: { "aws:SourceIp": addresses } },
        },
        {
          Sid: "AllowSender",
          Effect: "Allow",
          Principal: principal,
          Action: "execute-api:Invoke",
          Resource: method,
          Condition: { IpAddress: { "aws:SourceIp": addresses } },
        },
      ],
    });
  });

  test("the queue takes events of the source bucket, over TLS", async () => {
    const queue = "arn:aws:sqs:us-east-1:111111111111:crossborderbridge-b-queue";
    expect(policyOf(await build(), "b-queue-policy")).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "SourceEvents",
          Effect: "Allow",
          Principal: { Service: "s3.amazonaws.com" },
          Action: "sqs:SendMessage",
          Resource: queue,
          Condition: { ArnEquals: { "aws:SourceArn": FROM }, StringEquals: { "aws:SourceAccount": "111111111111" } },
        },
        {
          Sid: "DenyInsecureTransport",
          Effect: "Deny",
          Principal: "*",
          Action: "sqs:*",
          Resource: queue,
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ],
    });
  });

  test("buckets speak TLS only", async () => {
    expect(policyOf(await build(), "b-destination-policy")).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "DenyInsecureTransport",
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: [TO, `${TO}/*`],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ],
    });
  });
});

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

test("every inline policy stays within IAM's 10,240 characters at its largest", () => {
  const long = "x".repeat(512);
  const bucketArn = `arn:aws-cn:s3:::${"b".repeat(63)}`;
  const arns = { bucketArn, kmsKeyArn: FROM, queueArn: FROM, deadLetterArn: FROM, parameterArns: [long, long] };
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
    queuePolicy({ queueArn: FROM, bucketArn: FROM, accountId: "1", storageService: "s3" }),
    secureTransportPolicy(FROM),
    receiverEndpointPolicy({ methodArn: FROM, allowedCidrs: Array.from({ length: 100 }, () => "255.255.255.255/32") }),
  ];
  for (const document of documents) expect(JSON.stringify(document).length).toBeLessThan(10_240);
});
