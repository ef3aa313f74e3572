/**
 * The permissions that a call needs on AWS. The local cloud may check fewer. S3:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
import type { RecordedCall } from "./calls";

export interface Permission {
  action: string;
  resource: string;
}

export interface Place {
  partition: string;
  region: string;
  accountId: string;
  /** ARN of the key that encrypts the bridge's objects. Absent if the bucket's own encryption needs no permission. */
  kmsKeyArn?: string;
}

interface ObjectCall {
  call: RecordedCall;
  bucket: string;
  object: string;
  place: Place;
}

interface Rule {
  operation: string;
  matches(call: RecordedCall, hasKey: boolean): boolean;
  needs(call: ObjectCall): Permission[];
}

/** The first rule that matches counts. */
const S3_RULES: readonly Rule[] = [
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    operation: "ListObjectsV2",
    matches: ({ method, query }, hasKey) => method === "GET" && !hasKey && query.get("list-type") === "2",
    needs: ({ bucket }) => [{ action: "s3:ListBucket", resource: bucket }],
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html
    operation: "GetObjectTagging",
    matches: ({ method, query }, hasKey) => method === "GET" && hasKey && query.has("tagging"),
    needs: (one) => [{ action: ofVersion(one, "s3:GetObject", "Tagging"), resource: one.object }, ...missing(one)],
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
    operation: "PutObjectTagging",
    matches: ({ method, query }, hasKey) => method === "PUT" && hasKey && query.has("tagging"),
    needs: (one) => [{ action: ofVersion(one, "s3:PutObject", "Tagging"), resource: one.object }],
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
    operation: "ListParts",
    matches: ({ method, query }, hasKey) => method === "GET" && hasKey && query.has("uploadId"),
    needs: ({ object }) => [{ action: "s3:ListMultipartUploadParts", resource: object }],
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html; for a missing key:
    // 404 with s3:ListBucket, 403 without. The checksum of an encrypted object needs the permission to decrypt it.
    operation: "HeadObject",
    matches: ({ method }, hasKey) => method === "HEAD" && hasKey,
    needs: (one) => [{ action: ofVersion(one, "s3:GetObject"), resource: one.object }, ...missing(one), ...decrypts(one)],
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html; a presigned request uses the permissions of its signer.
    operation: "GetObject",
    matches: ({ method, query }, hasKey) => method === "GET" && hasKey && isPlain(query),
    needs: (one) => [{ action: ofVersion(one, "s3:GetObject"), resource: one.object }, ...missing(one), ...decrypts(one)],
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
    operation: "UploadPart",
    matches: ({ method, query }, hasKey) => method === "PUT" && hasKey && query.has("uploadId"),
    needs: (one) => [{ action: "s3:PutObject", resource: one.object }, ...encrypts(one), ...decrypts(one)],
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    operation: "PutObject",
    matches: ({ method, query }, hasKey) => method === "PUT" && hasKey && isPlain(query),
    needs: (one) => [...writes(one), ...encrypts(one)],
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
    operation: "CreateMultipartUpload",
    matches: ({ method, query }, hasKey) => method === "POST" && hasKey && query.has("uploads"),
    needs: (one) => [...writes(one), ...encrypts(one)],
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
    operation: "CompleteMultipartUpload",
    matches: ({ method, query }, hasKey) => method === "POST" && hasKey && query.has("uploadId"),
    needs: (one) => [...writes(one), ...decrypts(one)],
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
    operation: "AbortMultipartUpload",
    matches: ({ method, query }, hasKey) => method === "DELETE" && hasKey && query.has("uploadId"),
    needs: ({ object }) => [{ action: "s3:AbortMultipartUpload", resource: object }],
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html: If-Match reads the object.
    operation: "DeleteObject",
    matches: ({ method, query }, hasKey) => method === "DELETE" && hasKey && isPlain(query),
    needs: (one) => [{ action: ofVersion(one, "s3:DeleteObject"), resource: one.object }, ...compares(one)],
  },
];

/** Query parameters that do not choose another operation. */
const HARMLESS = /^(x-id|versionid|x-amz-.*)$/i;
const isPlain = (query: URLSearchParams) => [...query.keys()].every((name) => HARMLESS.test(name));

const ofVersion = ({ call }: ObjectCall, action: string, suffix = "") =>
  `${action}${call.query.has("versionId") ? "Version" : ""}${suffix}`;

const missing = ({ call, bucket }: ObjectCall): Permission[] =>
  call.status === 404 ? [{ action: "s3:ListBucket", resource: bucket }] : [];

const compares = ({ call, object }: ObjectCall): Permission[] =>
  call.headers["if-match"] === undefined ? [] : [{ action: "s3:GetObject", resource: object }];

const writes = (one: ObjectCall): Permission[] => [
  { action: "s3:PutObject", resource: one.object },
  ...compares(one),
  ...(one.call.headers["x-amz-tagging"] === undefined ? [] : [{ action: "s3:PutObjectTagging", resource: one.object }]),
];

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html: S3 calls KMS on behalf of its own caller. */
const byKey =
  (action: string) =>
  ({ place: { kmsKeyArn }, call: { status } }: ObjectCall): Permission[] =>
    kmsKeyArn === undefined || status >= 300 ? [] : [{ action, resource: kmsKeyArn }];
const decrypts = byKey("kms:Decrypt");
const encrypts = byKey("kms:GenerateDataKey");

type JsonCall = (input: Record<string, string>, place: Place) => Permission;

const onQueue =
  (action: string): JsonCall =>
  ({ QueueUrl = "" }, place) => ({ action, resource: arn(place, "sqs", QueueUrl.slice(QueueUrl.lastIndexOf("/") + 1)) });

/** Calls that need one permission, which the target header and the body name. */
const JSON_CALLS: Readonly<Record<string, JsonCall>> = {
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html; a batch needs the
  // permission of the single call.
  "AmazonSQS.SendMessage": onQueue("sqs:SendMessage"),
  "AmazonSQS.SendMessageBatch": onQueue("sqs:SendMessage"),
  "AmazonSQS.ReceiveMessage": onQueue("sqs:ReceiveMessage"),
  "AmazonSQS.DeleteMessageBatch": onQueue("sqs:DeleteMessage"),
  "AmazonSQS.GetQueueAttributes": onQueue("sqs:GetQueueAttributes"),
  // https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html; the AWS managed key lets every
  // identity of the account decrypt through Systems Manager.
  "AmazonSSM.GetParameter": ({ Name = "" }, place) => ({
    action: "ssm:GetParameter",
    resource: arn(place, "ssm", `parameter/${Name.replace(/^\//, "")}`),
  }),
};

// https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
const INVOKE = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-iam-policy-examples-for-api-execution.html
const EXECUTE_API = /^\/_aws\/execute-api\/([^/]+)\/(.+)$/;

export interface RequiredPermissions {
  operation: string;
  permissions: Permission[];
}

/** @throws Error for a call that the tables do not know, so that no permission is missed */
export function requiredBy(call: RecordedCall, place: Place): RequiredPermissions {
  const path = decodeURIComponent(call.path);
  const target = call.headers["x-amz-target"];
  if (target !== undefined) {
    const known = JSON_CALLS[target];
    if (known === undefined) throw new Error(`no permission is known for ${target} by ${call.principal}`);
    return { operation: target, permissions: [known(JSON.parse(call.body) as Record<string, string>, place)] };
  }
  const [, functionName] = INVOKE.exec(path) ?? [];
  if (functionName !== undefined) {
    const resource = functionName.startsWith("arn:") ? functionName : arn(place, "lambda", `function:${functionName}`);
    return { operation: "Invoke", permissions: [{ action: "lambda:InvokeFunction", resource }] };
  }
  const [, api, rest = ""] = EXECUTE_API.exec(path) ?? [];
  if (api !== undefined) {
    const [stage, ...resource] = rest.split("/");
    const method = arn(place, "execute-api", [api, stage, call.method, ...resource].join("/"));
    return { operation: "execute-api", permissions: [{ action: "execute-api:Invoke", resource: method }] };
  }
  const [bucketName = "", ...keyParts] = path.slice(1).split("/");
  const key = keyParts.join("/");
  const bucket = `arn:${place.partition}:s3:::${bucketName}`;
  const rule = S3_RULES.find((one) => one.matches(call, key !== ""));
  if (bucketName === "" || rule === undefined) {
    throw new Error(
      `no permission is known for ${call.method} ${call.path}?${[...call.query.keys()].join("&")} by ${call.principal}`,
    );
  }
  return { operation: rule.operation, permissions: rule.needs({ call, bucket, object: `${bucket}/${key}`, place }) };
}

function arn({ partition, region, accountId }: Place, service: string, resource: string): string {
  return `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
}
