/**
 * Policies of S3's own replication: pure functions of plain ARNs, as in `../policies.ts`.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
 */
import { CONTROL_PREFIX } from "../../../runtime/protocol/control";
import { document, grantedTo, objectArns, type PolicyDocument, type Statement } from "../policies";

/** One end of a replication. */
export interface ReplicationEnd {
  bucketArn: string;
  region: string;
  kmsKeyArn?: string | undefined;
}

export interface ReplicationPolicyArgs {
  source: ReplicationEnd;
  destination: ReplicationEnd;
  /** Prefixes of all rules; "" stands for every key. */
  prefixes: readonly string[];
  /** Whether any rule replicates delete markers. */
  deletes: boolean;
  /** Whether replicas change their owner: between two accounts, to the destination's account. */
  ownerOverride: boolean;
  /** DNS suffix of the partition. */
  dnsSuffix: string;
}

/** Prefix of the manifests and reports of S3 Batch Operations, in the source bucket. */
export const BACKFILL_PREFIX = `${CONTROL_PREFIX}backfill/`;

/** An inline policy holds 10,240 characters and may contain four such lists. */
const LISTED_CHARACTERS = 1800;

const allow = (Sid: string, Action: string[], Resource: string[]): Statement => ({ Sid, Effect: "Allow", Action, Resource });

/**
 * Allows a key for one bucket only, and only through S3. The encryption context of an object under a bucket key contains the bucket. Any
 * other object's context contains the object, independent of the bucket's default.
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

/** The bucket's default also encrypts objects that came without a KMS key. `kms:Decrypt` is needed because S3 checks a bucket key before use. */
function encryptReplicas({ destination, prefixes, dnsSuffix }: ReplicationPolicyArgs): Statement | undefined {
  if (destination.kmsKeyArn === undefined) return undefined;
  const objects = objectArns(destination.bucketArn, prefixes, LISTED_CHARACTERS);
  const actions = ["kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"];
  return useKey("EncryptReplicas", actions, destination.kmsKeyArn, { ...destination, dnsSuffix, objects });
}

/** `s3:ReplicateDelete` is needed only for delete markers, not for changes of tags and ACLs that were made to a replica. */
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

/** The policy of the role that S3 assumes. */
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
 * Statements that the policy of a destination bucket in another account needs. AWS's example also has `s3:PutBucketVersioning`.
 * Replication does not need it, and with it the other account could suspend versioning, which replication requires.
 */
export const bucketStatements = (roleArn: string, args: ReplicationPolicyArgs): Statement[] => [
  grantedTo([roleArn], { ...writeReplicas(args), Sid: "CrossBorderBridgeReplicas" }),
  grantedTo(
    [roleArn],
    allow("CrossBorderBridgeReplicaBucket", ["s3:ListBucket", "s3:GetBucketVersioning"], [args.destination.bucketArn]),
  ),
];

const forRole = (statement: Statement | undefined, Sid: string, roleArn: string): Statement[] =>
  statement === undefined ? [] : [grantedTo([roleArn], { ...statement, Sid })];

/** Statements that the policies of both keys need. The bridge never owns a key. */
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

/** The policy of the role that S3 Batch Operations assumes. https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-policies.html */
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
