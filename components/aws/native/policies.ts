/**
 * What S3 may do when it replicates: pure functions of plain ARNs, as in `../policies.ts`.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
 */
import { CONTROL_PREFIX } from "../../../runtime/protocol/control";
import { document, objectArns, type PolicyDocument, type Statement } from "../policies";

/** One end of a replication. */
export interface ReplicationEnd {
  bucketArn: string;
  region: string;
  kmsKeyArn?: string | undefined;
}

export interface ReplicationPolicyArgs {
  source: ReplicationEnd;
  destination: ReplicationEnd;
  /** Of all rules; "" stands for every key. */
  prefixes: readonly string[];
  /** Some rule replicates delete markers. */
  deletes: boolean;
  /** Replicas change hands: across accounts, where they are to belong to the destination's. */
  ownerOverride: boolean;
  /** Of the partition. */
  dnsSuffix: string;
}

/** Where S3 Batch Operations leaves its lists and its reports, in the source bucket. */
export const BACKFILL_PREFIX = `${CONTROL_PREFIX}backfill/`;

/** An inline policy holds 10,240 characters, and up to four such lists. */
const LISTED_CHARACTERS = 1800;

const allow = (Sid: string, Action: string[], Resource: string[]): Statement => ({ Sid, Effect: "Allow", Action, Resource });

/**
 * A key, for one bucket alone and through S3 alone. An object under a bucket key has the bucket in its encryption context, any
 * other one itself, whatever the bucket's default is.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
 */
function useKey(
  Sid: string,
  Action: string[],
  kmsKeyArn: string,
  { bucketArn, region, dnsSuffix, objects }: { bucketArn: string; region: string; dnsSuffix: string; objects: string[] },
): Statement {
  // The documentation for the China regions does not say which of the two suffixes the key sees there.
  const services = new Set([`s3.${region}.amazonaws.com`, `s3.${region}.${dnsSuffix}`]);
  return {
    ...allow(Sid, Action, [kmsKeyArn]),
    Condition: { StringLike: { "kms:ViaService": [...services], "kms:EncryptionContext:aws:s3:arn": [bucketArn, ...objects] } },
  };
}

function decryptSource({ source, prefixes, dnsSuffix }: ReplicationPolicyArgs): Statement | undefined {
  if (source.kmsKeyArn === undefined) return undefined;
  const objects = objectArns(source.bucketArn, prefixes, LISTED_CHARACTERS);
  return useKey("DecryptSource", ["kms:Decrypt"], source.kmsKeyArn, { ...source, dnsSuffix, objects });
}

/** Objects that come without a key of KMS get one by the bucket's default, and a bucket key is checked before it is used. */
function encryptReplicas({ destination, prefixes, dnsSuffix }: ReplicationPolicyArgs): Statement | undefined {
  if (destination.kmsKeyArn === undefined) return undefined;
  const objects = objectArns(destination.bucketArn, prefixes, LISTED_CHARACTERS);
  const actions = ["kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"];
  return useKey("EncryptReplicas", actions, destination.kmsKeyArn, { ...destination, dnsSuffix, objects });
}

/** `s3:ReplicateDelete` is for delete markers alone: changes of tags and ACLs that come back from a replica do without it. */
const writeReplicas = ({ destination, prefixes, deletes, ownerOverride }: ReplicationPolicyArgs): Statement =>
  allow(
    "WriteReplicas",
    [
      "s3:ReplicateObject",
      "s3:ReplicateTags",
      ...(deletes ? ["s3:ReplicateDelete"] : []),
      ...(ownerOverride ? ["s3:ObjectOwnerOverrideToBucketOwner"] : []),
    ],
    objectArns(destination.bucketArn, prefixes, LISTED_CHARACTERS),
  );

/** Of the role that S3 takes on. */
export function replicationPolicy(args: ReplicationPolicyArgs): PolicyDocument {
  const { bucketArn } = args.source;
  return document(
    allow("ReadConfiguration", ["s3:GetReplicationConfiguration", "s3:ListBucket"], [bucketArn]),
    allow(
      "ReadSource",
      ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
      objectArns(bucketArn, args.prefixes, LISTED_CHARACTERS),
    ),
    writeReplicas(args),
    decryptSource(args),
    encryptReplicas(args),
  );
}

/**
 * What the policy of a destination bucket in another account needs. AWS's example also has `s3:PutBucketVersioning`, with which
 * the other account could stop the versions that replication rests on; replication itself does not need it.
 */
export const bucketStatements = (roleArn: string, args: ReplicationPolicyArgs): Statement[] => [
  { ...writeReplicas(args), Sid: "CrossBorderBridgeReplicas", Principal: { AWS: roleArn } },
  {
    ...allow("CrossBorderBridgeReplicaBucket", ["s3:ListBucket", "s3:GetBucketVersioning"], [args.destination.bucketArn]),
    Principal: { AWS: roleArn },
  },
];

const forRole = (statement: Statement | undefined, Sid: string, roleArn: string): Statement[] =>
  statement === undefined ? [] : [{ ...statement, Sid, Principal: { AWS: roleArn } }];

/** What the policies of both keys need, which the bridge never owns. */
export const keyStatements = (
  roleArn: string,
  args: ReplicationPolicyArgs,
): { source: Statement[]; destination: Statement[] } => ({
  source: forRole(decryptSource(args), "CrossBorderBridgeReads", roleArn),
  destination: forRole(encryptReplicas(args), "CrossBorderBridgeWrites", roleArn),
});

export interface BackfillPolicyArgs {
  source: ReplicationEnd;
  prefixes: readonly string[];
  dnsSuffix: string;
}

function useReportKey({ source, dnsSuffix }: BackfillPolicyArgs): Statement | undefined {
  if (source.kmsKeyArn === undefined) return undefined;
  const objects = objectArns(source.bucketArn, [BACKFILL_PREFIX]);
  return useKey("EncryptReports", ["kms:GenerateDataKey", "kms:Decrypt"], source.kmsKeyArn, { ...source, dnsSuffix, objects });
}

/** Of the role that S3 Batch Operations takes on. https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-policies.html */
export function backfillPolicy(args: BackfillPolicyArgs): PolicyDocument {
  const { bucketArn } = args.source;
  const records = objectArns(bucketArn, [BACKFILL_PREFIX]);
  return document(
    allow("StartReplication", ["s3:InitiateReplication"], objectArns(bucketArn, args.prefixes, LISTED_CHARACTERS)),
    allow("ListWhatIsMissing", ["s3:GetReplicationConfiguration", "s3:PutInventoryConfiguration"], [bucketArn]),
    allow("ReadManifest", ["s3:GetObject", "s3:GetObjectVersion"], records),
    allow("WriteReport", ["s3:PutObject"], records),
    useReportKey(args),
  );
}

export const backfillKeyStatements = (roleArn: string, args: BackfillPolicyArgs): Statement[] =>
  forRole(useReportKey(args), "CrossBorderBridgeReports", roleArn);
