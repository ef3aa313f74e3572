/** Checks the role of a replication configuration as S3 does. The emulator accepts any role, even one that does not exist. */
import { GetRoleCommand } from "@aws-sdk/client-iam";
import { evaluate } from "../../aws/iam/evaluate";
import type { PolicyDocument } from "../../aws/iam/policy-document";
import { type AwsContext, clientsOf } from "./context";
import type { ReplicationRule } from "./replication-rules";
import { assertRoleAllows, roleNameOf } from "./roles";

/** The key of an example object under a rule's prefix. */
const ANY_KEY = "any-key";

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html; KMS keys are
 * not checked. On AWS a missing permission shows only when the replication of an object fails.
 * @throws Error that names the first missing permission
 */
export async function assertMayReplicate(
  context: AwsContext,
  roleArn: string,
  bucket: string,
  rules: readonly ReplicationRule[],
): Promise<void> {
  const source = `arn:aws:s3:::${bucket}`;
  await assertS3MayAssume(context, roleArn, source);
  await assertRoleAllows(context, roleArn, ["s3:GetReplicationConfiguration", "s3:ListBucket"], source);
  const reads = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"];
  for (const { filter, destination, status, deleteMarkerReplication } of rules) {
    if (status !== "Enabled") continue;
    const key = (filter.prefix ?? filter.and?.prefix ?? "") + ANY_KEY;
    await assertRoleAllows(context, roleArn, reads, `${source}/${key}`);
    const writes = [
      "s3:ReplicateObject",
      "s3:ReplicateTags",
      ...(deleteMarkerReplication?.status === "Enabled" ? ["s3:ReplicateDelete"] : []),
      ...(destination.accessControlTranslation === undefined ? [] : ["s3:ObjectOwnerOverrideToBucketOwner"]),
    ];
    await assertRoleAllows(context, roleArn, writes, `${destination.bucket}/${key}`);
  }
}

/** The conditions of the trust policy are checked for the source bucket. */
async function assertS3MayAssume(context: AwsContext, roleArn: string, sourceArn: string): Promise<void> {
  const { Role } = await clientsOf(context).iam.send(new GetRoleCommand({ RoleName: roleNameOf(roleArn) }));
  const resourcePolicy = JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? "{}")) as PolicyDocument;
  const request = {
    principal: "s3.amazonaws.com",
    action: "sts:AssumeRole",
    resource: roleArn,
    accountId: context.accountId,
    context: { "aws:SourceAccount": context.accountId, "aws:SourceArn": sourceArn },
  };
  if (evaluate(request, { resourcePolicy }) !== "Allowed") {
    throw new Error(`S3 cannot assume ${roleArn}: its trust policy must allow sts:AssumeRole to s3.amazonaws.com`);
  }
}
