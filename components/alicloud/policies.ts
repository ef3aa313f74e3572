/**
 * Every policy that the bridge writes in Alibaba Cloud, as pure functions of plain ARNs. Each policy lists exactly the actions that the
 * role's code calls. `tests/components/alicloud/policies.test.ts` asserts the documents, and `tests/e2e/ram-policies.test.ts` compares them
 * with the recorded calls. One service has no permissions for single resources: see `dispatcherPolicy`.
 */

import { PROVENANCE_PREFIX } from "../../runtime/protocol/control";

export interface Statement {
  Effect: "Allow" | "Deny";
  Principal?: string[] | { Service: string[] };
  Action: string | string[];
  Resource?: string[];
  Condition?: Record<string, Record<string, string[]>>;
}

export interface PolicyDocument {
  Version: "1";
  Statement: Statement[];
}

export const document = (...statements: (Statement | undefined)[]): PolicyDocument => ({
  Version: "1",
  Statement: statements.filter((statement) => statement !== undefined),
});

const allow = (Action: string[], ...Resource: string[]): Statement => ({ Effect: "Allow", Action, Resource });

/** RAM has no escape for its wildcards. `?` matches any single character, so it replaces `*`. */
export const literal = (value: string): string => value.replaceAll("*", "?");

/** A policy holds 6,144 characters and may contain a list twice. For longer lists the policy allows every object, and the function checks the scope. */
const LISTED_CHARACTERS = 1536;

/** The objects under some prefixes; every object when there are none or too many to list. */
export function objectArns(bucketArn: string, prefixes: readonly string[]): string[] {
  const listed = prefixes.map((prefix) => `${bucketArn}/${literal(prefix)}*`);
  if (listed.length === 0 || listed.join("").length > LISTED_CHARACTERS) return [`${bucketArn}/*`];
  return listed;
}

export const assumedBy = (service: string): PolicyDocument => ({
  Version: "1",
  Statement: [{ Effect: "Allow", Principal: { Service: [service] }, Action: "sts:AssumeRole" }],
});

export const writeLogs = (logStoreArn: string): Statement => allow(["log:PostLogStoreLogs"], logStoreArn);

/** A caller names the function alone, or one of its versions: triggers and CloudFlow name `LATEST`. */
const invoke = (functionArn: string): Statement => allow(["fc:InvokeFunction"], functionArn, `${functionArn}/*`);

export const invokeFunction = (functionArn: string): PolicyDocument => document(invoke(functionArn));

/** With a condition, `*` means every identity, the bucket's owner included. https://www.alibabacloud.com/help/en/oss/user-guide/oss-bucket-policy/ */
export const secureTransportPolicy = (bucketArn: string): PolicyDocument =>
  document({
    Effect: "Deny",
    Principal: ["*"],
    Action: ["oss:*"],
    Resource: [bucketArn, `${bucketArn}/*`],
    Condition: { Bool: { "acs:SecureTransport": ["false"] } },
  });

export interface SourceReadArgs {
  bucketArn: string;
  prefixes: readonly string[];
  kmsKeyArn?: string | undefined;
}

const readObjects = ({ bucketArn, prefixes }: Pick<SourceReadArgs, "bucketArn" | "prefixes">): (Statement | undefined)[] => [
  allow(["oss:GetObject", "oss:GetObjectTagging"], ...objectArns(bucketArn, prefixes)),
  // The provenance records of replicas that another bridge wrote there.
  prefixes.length === 0 ? undefined : allow(["oss:GetObject"], ...objectArns(bucketArn, [PROVENANCE_PREFIX])),
];

const readSource = (args: SourceReadArgs): (Statement | undefined)[] => [
  ...readObjects(args),
  args.kmsKeyArn === undefined ? undefined : allow(["kms:Decrypt"], args.kmsKeyArn),
];

export interface TaggingArgs {
  statusTags: boolean;
  /** In a bucket that keeps versions the bridge names the version, and RAM then has another action. */
  versioned: boolean;
}

const tagSource = ({ bucketArn, prefixes, statusTags, versioned }: SourceReadArgs & TaggingArgs): Statement | undefined =>
  statusTags
    ? allow([versioned ? "oss:PutObjectVersionTagging" : "oss:PutObjectTagging"], ...objectArns(bucketArn, prefixes))
    : undefined;

const park = (queueArn: string): Statement => allow(["mns:SendMessage"], queueArn);

/** ARNs of the queues of keys that wait. */
export interface WaitingArns {
  work: string;
  outage: string;
}

/** ARN of a queue for calls about the queue itself. */
const queueItself = (messagesArn: string): string => messagesArn.replace(/\/messages$/, "");

/**
 * Stores keys that wait, and with the tick reads both queues.
 * @param more what else is called on the work queue
 */
const keepWaiting = ({ work, outage }: WaitingArns, ...more: string[]): Statement[] => [
  allow(["mns:SendMessage", "mns:BatchReceiveMessage", "mns:BatchDeleteMessage", ...more], work),
  allow(["mns:BatchSendMessage", "mns:BatchReceiveMessage", "mns:BatchDeleteMessage", "mns:PeekMessage"], outage),
  allow(["mns:GetQueueAttributes"], queueItself(outage)),
];

export interface SecretArns {
  parameter: string;
  secret: string;
}

const readSecrets = (secrets: readonly SecretArns[]): Statement[] => [
  allow(["oos:GetSecretParameter"], ...secrets.map(({ parameter }) => parameter)),
  allow(["kms:GetSecretValue"], ...secrets.map(({ secret }) => secret)),
];

export interface SenderPolicyArgs extends SourceReadArgs, TaggingArgs {
  deadLetterArn: string;
  waiting: WaitingArns;
  /** The sender's own function, which the tick starts. */
  functionArn: string;
  secrets: readonly SecretArns[];
}

export const senderPolicy = (args: SenderPolicyArgs): PolicyDocument =>
  document(
    ...readSource(args),
    tagSource(args),
    park(args.deadLetterArn),
    // After an outage the keys go back into the work queue. The pusher hands them to the dispatcher instead.
    ...keepWaiting(args.waiting, "mns:BatchSendMessage"),
    invoke(args.functionArn),
    ...readSecrets(args.secrets),
  );

export interface DestinationPolicyArgs {
  bucketArn: string;
  /** Put in front of every key; empty for none. */
  prefix: string;
  versioned: boolean;
  kmsKeyArn?: string | undefined;
  controlBucketArn: string;
  leaseLogsPrefix: string;
}

/**
 * The store also deletes what it wrote when OSS received wrong bytes: exactly that version, or the object in a bucket without
 * versions.
 */
function writeDestination(args: DestinationPolicyArgs, more: readonly string[]): (Statement | undefined)[] {
  const takeBack = args.versioned ? "oss:DeleteObjectVersion" : "oss:DeleteObject";
  const actions = [
    "oss:GetObject",
    "oss:PutObject",
    "oss:GetObjectTagging",
    "oss:PutObjectTagging",
    "oss:DeleteObjectTagging",
    "oss:AbortMultipartUpload",
    takeBack,
  ];
  return [
    allow([...new Set([...actions, ...more])], ...objectArns(args.bucketArn, [args.prefix])),
    // Appending needs the permission to put. Only the bucket's lifecycle rule removes a log.
    allow(
      ["oss:GetObject", "oss:PutObject"],
      `${args.controlBucketArn}/${args.leaseLogsPrefix}*`,
      ...(args.prefix === "" ? [] : [`${args.bucketArn}/${PROVENANCE_PREFIX}*`]),
    ),
    args.kmsKeyArn === undefined ? undefined : allow(["kms:GenerateDataKey", "kms:Decrypt"], args.kmsKeyArn),
  ];
}

const deletion = (deletes: "ignore" | "replicate"): string[] => (deletes === "replicate" ? ["oss:DeleteObject"] : []);

export interface ReceiverPolicyArgs extends DestinationPolicyArgs {
  deletes: "ignore" | "replicate";
  copierArn: string;
  secrets: readonly SecretArns[];
}

export const receiverPolicy = (args: ReceiverPolicyArgs): PolicyDocument =>
  document(...writeDestination(args, deletion(args.deletes)), invoke(args.copierArn), ...readSecrets(args.secrets));

export const copierPolicy = (args: DestinationPolicyArgs): PolicyDocument =>
  document(...writeDestination(args, ["oss:ListParts"]));

export interface DispatcherPolicyArgs {
  deadLetterArn: string;
  workQueueArn: string;
}

export const dispatcherPolicy = (args: DispatcherPolicyArgs): PolicyDocument =>
  document(
    // CloudFlow has no permissions for single flows: a policy that names a flow has no effect.
    // https://www.alibabacloud.com/help/en/serverless-workflow/latest/api-fnf-2019-03-15-ram
    allow(["fnf:StartExecution", "fnf:DescribeExecution"], "*"),
    park(args.deadLetterArn),
    allow(["mns:SendMessage"], args.workQueueArn),
  );

export interface PusherPolicyArgs {
  source: SourceReadArgs & TaggingArgs;
  destination: DestinationPolicyArgs;
  deletes: "ignore" | "replicate";
  deadLetterArn: string;
  waiting: WaitingArns;
  /** The tick starts it. */
  dispatcherArn: string;
}

export const pusherPolicy = ({ source, destination, deletes, ...queues }: PusherPolicyArgs): PolicyDocument =>
  document(
    ...readSource(source),
    tagSource(source),
    ...writeDestination(destination, ["oss:ListParts", ...deletion(deletes)]),
    park(queues.deadLetterArn),
    ...keepWaiting(queues.waiting),
    invoke(queues.dispatcherArn),
  );

export interface ProberPolicyArgs {
  bucketArn: string;
  /** How every key begins that the prober may use. */
  prefix: string;
  /** Whether this side's prober puts objects. Otherwise it only watches for them. */
  puts: boolean;
  /** Whether these objects have tags. */
  tagged: boolean;
  versioned: boolean;
  /** Whether the prober lists the bucket. With a schedule it must find canaries that an earlier run left behind. */
  lists: boolean;
  kmsKeyArn?: string | undefined;
}

/** Watching uses HEAD. It reads no bytes, so it needs no key, and OSS reports a missing object without the permission to list. */
export function proberPolicy({ puts, tagged, versioned, lists, kmsKeyArn, ...args }: ProberPolicyArgs): PolicyDocument {
  const putting = puts ? ["oss:PutObject", ...(tagged ? ["oss:PutObjectTagging"] : [])] : [];
  const removal = versioned ? "oss:DeleteObjectVersion" : "oss:DeleteObject";
  return document(
    allow(["oss:GetObject", ...putting, removal], ...objectArns(args.bucketArn, [args.prefix])),
    lists ? allow(["oss:ListObjects"], args.bucketArn) : undefined,
    puts && kmsKeyArn !== undefined ? allow(["kms:GenerateDataKey", "kms:Decrypt"], kmsKeyArn) : undefined,
  );
}

export interface ReplicationPolicyArgs {
  sourceArn: string;
  destinationArn: string;
  /** KMS keys of source and destination, when encrypted objects are replicated. */
  sourceKeyArn?: string | undefined;
  destinationKeyArn?: string | undefined;
  deletes: "ignore" | "replicate";
}

/** https://www.alibabacloud.com/help/en/oss/user-guide/introduction-to-data-replication-permissions */
export const replicationPolicy = (args: ReplicationPolicyArgs): PolicyDocument =>
  document(
    allow(["oss:ReplicateList", "oss:ReplicateGet"], args.sourceArn, `${args.sourceArn}/*`),
    allow(
      [
        "oss:ReplicateList",
        "oss:ReplicateGet",
        "oss:ReplicatePut",
        ...(args.deletes === "replicate" ? ["oss:ReplicateDelete"] : []),
      ],
      args.destinationArn,
      `${args.destinationArn}/*`,
    ),
    args.sourceKeyArn === undefined ? undefined : allow(["kms:Decrypt"], args.sourceKeyArn),
    args.destinationKeyArn === undefined ? undefined : allow(["kms:GenerateDataKey", "kms:Decrypt"], args.destinationKeyArn),
  );
