/**
 * Every policy that the bridge writes in AWS, as pure functions of plain ARNs. Each policy lists exactly the actions that the role's code
 * calls. `tests/components/policies.test.ts` asserts the documents.
 */

import { PROVENANCE_PREFIX } from "../../runtime/protocol/control";

/** A statement of a policy, in IAM's own spelling. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html */
export interface Statement {
  /** Id of the statement, unique in its policy. */
  Sid?: string;
  /** Whether the statement allows or denies. */
  Effect: "Allow" | "Deny";
  /** Who may act. Only policies of resources have it. */
  Principal?:
    | "*"
    | {
        /** Service principal, such as `s3.amazonaws.com`. */
        Service?: string;
        /** ARNs of roles, users or accounts. */
        AWS?: string | string[];
      };
  /** Actions, such as `s3:GetObject`. */
  Action: string | string[];
  /** ARNs, with `*` for any text. */
  Resource: string | string[];
  /** Operator, then condition key, then values. */
  Condition?: Record<string, Record<string, string | string[]>>;
}

export interface PolicyDocument {
  Version: "2012-10-17";
  Statement: Statement[];
}

export const document = (...statements: (Statement | undefined)[]): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: statements.filter((statement) => statement !== undefined),
});

const allow = (Sid: string, Action: string[], ...Resource: string[]): Statement => ({ Sid, Effect: "Allow", Action, Resource });

/**
 * Escapes wildcards and variables, so that IAM reads the text literally. A policy holds no character above U+00FF, so a wildcard stands for each
 * run of them: the role then also covers keys with other characters there, and the code still checks the scope.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
 */
export const literal = (value: string): string =>
  value.replace(/[*?$]/g, (character) => `\${${character}}`).replace(/[^\t\n\r\u0020-\u00ff]+/g, "*");

/** An inline policy holds 10,240 characters and may contain a list twice. */
const LISTED_CHARACTERS = 3000;

/** The objects under some prefixes. For a list that is too long, every object: then only the code checks the scope. */
export function objectArns(bucketArn: string, prefixes: readonly string[], most = LISTED_CHARACTERS): string[] {
  const arns = [...new Set(prefixes)].map((prefix) => `${bucketArn}/${literal(prefix)}*`);
  const every = `${bucketArn}/*`;
  return arns.length === 0 || arns.includes(every) || JSON.stringify(arns).length > most ? [every] : arns;
}

/** The records of provenances in a bucket. The role may read all objects already where the scope has no prefix. */
const provenance = (actions: string[], bucketArn: string, prefixes: readonly string[]): Statement | undefined =>
  prefixes.length === 0 ? undefined : allow("KeepProvenance", actions, ...objectArns(bucketArn, [PROVENANCE_PREFIX]));

/** Without this permission S3 answers 403 for a missing key, as for a missing permission. */
const listBucket = (bucketArn: string) => allow("TellMissingFromForbidden", ["s3:ListBucket"], bucketArn);

const readParameters = (arns: string[]) => allow("ReadSecrets", ["ssm:GetParameter"], ...arns);

export const writeLogs = (logGroupArn: string): Statement =>
  allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], `${logGroupArn}:*`);

/**
 * A statement for roles or users of the bridge: it names their account, and the identities in a condition. AWS looks up each identity
 * that is a Principal. It refuses one that was made seconds before, and keeps an id for one that is deleted later, which its successor
 * does not match. The condition's text is not looked up. A grant to an account needs the identity's own policy as well.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts
 */
export function grantedTo(identityArns: readonly string[], statement: Statement): Statement {
  const accounts = [...new Set(identityArns.map(accountRoot))];
  return {
    ...statement,
    Principal: { AWS: oneOrList(accounts) },
    Condition: { ...statement.Condition, StringEquals: { "aws:PrincipalArn": oneOrList(identityArns) } },
  };
}

/** `arn:<partition>:iam::<account>:root`, for `arn:<partition>:iam::<account>:role/<name>`. */
const accountRoot = (identityArn = ""): string => `${identityArn.split(":").slice(0, 5).join(":")}:root`;

/** AWS stores a list of one as a text. */
const oneOrList = (values: readonly string[]): string | string[] => (values.length === 1 ? String(values[0]) : [...values]);

export const assumedBy = (service: string): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" } as Statement],
});

export interface SenderPolicyArgs {
  bucketArn: string;
  prefixes: readonly string[];
  /** Actions of `statusTags`; empty when it is off. */
  tagging: readonly ("s3:PutObjectTagging" | "s3:PutObjectVersionTagging")[];
  kmsKeyArn?: string | undefined;
  queueArn: string;
  outageQueueArn: string;
  deadLetterArn: string;
  parameterArns: string[];
}

/** Lambda polls the work queue in the sender's role. The sender itself counts and drains the outage queue. */
const QUEUE_ACTIONS = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage"];

export function senderPolicy(args: SenderPolicyArgs): PolicyDocument {
  const objects = objectArns(args.bucketArn, args.prefixes);
  return document(
    allow("ReadSource", ["s3:GetObject", "s3:GetObjectTagging"], ...objects),
    provenance(["s3:GetObject"], args.bucketArn, args.prefixes),
    listBucket(args.bucketArn),
    args.tagging.length > 0 ? allow("TagStatus", [...args.tagging], ...objects) : undefined,
    args.kmsKeyArn === undefined ? undefined : allow("DecryptSource", ["kms:Decrypt"], args.kmsKeyArn),
    allow("KeepKeys", QUEUE_ACTIONS, args.queueArn, args.outageQueueArn),
    allow("Park", ["sqs:SendMessage"], args.deadLetterArn),
    readParameters(args.parameterArns),
  );
}

interface DestinationPolicyArgs {
  bucketArn: string;
  /** Put in front of every key; empty for none. */
  prefix: string;
  /** Ends with a slash. */
  controlPrefix: string;
  kmsKeyArn?: string | undefined;
}

export interface ReceiverPolicyArgs extends DestinationPolicyArgs {
  deletes: "ignore" | "replicate";
  copierArn: string;
  parameterArns: string[];
}

export type CopierPolicyArgs = DestinationPolicyArgs;

const OBJECT_ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:GetObjectTagging", "s3:PutObjectTagging"];

/**
 * The store asks for the bucket's default encryption before it names another one. With a key in the settings it never asks.
 */
const readEncryption = ({
  bucketArn,
  kmsKeyArn,
}: Pick<DestinationPolicyArgs, "bucketArn" | "kmsKeyArn">): Statement | undefined =>
  kmsKeyArn === undefined ? allow("ReadDefaultEncryption", ["s3:GetEncryptionConfiguration"], bucketArn) : undefined;

const encrypt = (kmsKeyArn: string | undefined): Statement | undefined =>
  kmsKeyArn === undefined ? undefined : allow("EncryptDestination", ["kms:GenerateDataKey", "kms:Decrypt"], kmsKeyArn);

const keepRecords = ({ bucketArn, controlPrefix }: DestinationPolicyArgs): Statement =>
  allow("KeepRecords", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], ...objectArns(bucketArn, [controlPrefix]));

export function receiverPolicy(args: ReceiverPolicyArgs): PolicyDocument {
  // The receiver aborts uploads, so a copier that outlived its lease cannot complete its upload.
  const actions = [...OBJECT_ACTIONS, "s3:AbortMultipartUpload"];
  if (args.deletes === "replicate") actions.push("s3:DeleteObject");
  return document(
    allow("WriteDestination", actions, ...objectArns(args.bucketArn, [args.prefix])),
    keepRecords(args),
    provenance(["s3:GetObject", "s3:PutObject"], args.bucketArn, [args.prefix]),
    listBucket(args.bucketArn),
    readEncryption(args),
    encrypt(args.kmsKeyArn),
    allow("StartCopies", ["lambda:InvokeFunction"], args.copierArn),
    readParameters(args.parameterArns),
  );
}

export function copierPolicy(args: CopierPolicyArgs): PolicyDocument {
  return document(
    allow(
      "WriteDestination",
      [...OBJECT_ACTIONS, "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
      ...objectArns(args.bucketArn, [args.prefix]),
    ),
    keepRecords(args),
    provenance(["s3:GetObject", "s3:PutObject"], args.bucketArn, [args.prefix]),
    listBucket(args.bucketArn),
    readEncryption(args),
    encrypt(args.kmsKeyArn),
  );
}

export interface ProberPolicyArgs {
  bucketArn: string;
  /** How every key begins that the prober may use. */
  prefix: string;
  /** Whether this side's prober puts objects. Otherwise it only watches for them. */
  puts: boolean;
  /** Whether these objects have tags. */
  tagged: boolean;
  /** Actions that delete the objects. In a bucket that keeps versions the prober names the version. */
  removal: readonly ("s3:DeleteObject" | "s3:DeleteObjectVersion")[];
  kmsKeyArn?: string | undefined;
}

export function proberPolicy(args: ProberPolicyArgs): PolicyDocument {
  const putting = args.puts ? ["s3:PutObject", ...(args.tagged ? ["s3:PutObjectTagging"] : [])] : [];
  return document(
    allow("Probe", ["s3:GetObject", ...putting, ...args.removal], ...objectArns(args.bucketArn, [args.prefix])),
    // Also needed to find canaries that an earlier run left behind.
    listBucket(args.bucketArn),
    args.puts ? readEncryption(args) : undefined,
    args.kmsKeyArn === undefined ? undefined : allow("UseKey", proberKeyActions(args.puts), args.kmsKeyArn),
  );
}

/** Lambda sends what the notifier did not deliver to a queue, in the notifier's role. */
export const notifierPolicy = ({
  parameterArn,
  undeliveredArn,
}: {
  parameterArn: string;
  undeliveredArn: string;
}): PolicyDocument => document(readParameters([parameterArn]), allow("KeepUndelivered", ["sqs:SendMessage"], undeliveredArn));

/** HEAD asks for checksums, which S3 keeps encrypted. https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
export const proberKeyActions = (puts: boolean): string[] => [...(puts ? ["kms:GenerateDataKey"] : []), "kms:Decrypt"];

export interface QueuePolicyArgs {
  queueArn: string;
  /** The bucket whose events the queue takes. @default no service may send to the queue */
  events?: { bucketArn: string; accountId: string; storageService: string } | undefined;
}

/** Every request must use TLS, and only one bucket may send events. */
export function queuePolicy({ queueArn, events }: QueuePolicyArgs): PolicyDocument {
  return document(
    events && {
      Sid: "SourceEvents",
      Effect: "Allow",
      Principal: { Service: events.storageService },
      Action: "sqs:SendMessage",
      Resource: queueArn,
      Condition: { ArnEquals: { "aws:SourceArn": events.bucketArn }, StringEquals: { "aws:SourceAccount": events.accountId } },
    },
    {
      Sid: "DenyInsecureTransport",
      Effect: "Deny",
      Principal: "*",
      Action: "sqs:*",
      Resource: queueArn,
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
  );
}

export const secureTransportPolicy = (bucketArn: string): PolicyDocument =>
  document({
    Sid: "DenyInsecureTransport",
    Effect: "Deny",
    Principal: "*",
    Action: "s3:*",
    Resource: [bucketArn, `${bucketArn}/*`],
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  });

/**
 * Only addresses of the allowlist may call the receiver, and with `auth: iam` only the invoke-only user. The Deny applies the
 * allowlist also to identities of the account whose own policies allow the call.
 */
export function receiverEndpointPolicy(args: {
  methodArn: string;
  allowedCidrs: readonly string[];
  invokerArn?: string | undefined;
}): PolicyDocument {
  const addresses = { "aws:SourceIp": [...args.allowedCidrs] };
  const allowed: Statement = {
    Sid: "AllowSender",
    Effect: "Allow",
    Action: "execute-api:Invoke",
    Resource: args.methodArn,
    Condition: { IpAddress: addresses },
  };
  return document(
    {
      Sid: "DenyOtherAddresses",
      Effect: "Deny",
      Principal: "*",
      Action: "execute-api:Invoke",
      Resource: args.methodArn,
      Condition: { NotIpAddress: addresses },
    },
    args.invokerArn === undefined ? { ...allowed, Principal: "*" } : grantedTo([args.invokerArn], allowed),
  );
}

export const invokerPolicy = (methodArn: string): PolicyDocument =>
  document(allow("InvokeReceiver", ["execute-api:Invoke"], methodArn));

/** A statement to merge into the policy of a key, which the bridge never owns. */
export const kmsKeyStatement = (sid: string, kmsKeyArn: string, roleArns: string[], actions: string[]): Statement =>
  grantedTo(roleArns, { Sid: sid, Effect: "Allow", Action: actions, Resource: kmsKeyArn });
