/** The policies of the buckets: statements that deny the bridge, and statements that S3's replication needs. */
import { GetBucketPolicyCommand } from "@aws-sdk/client-s3";
import { AWS_PARTITIONS, isAws } from "../../../components/config/clouds";
import { parseJson } from "../../../runtime/protocol/json";
import {
  alicloudOf,
  awsOf,
  awsSides,
  bucketOf,
  bucketText,
  type Check,
  functionsOf,
  hasBucket,
  type Problem,
  SIDES,
  settingsOf,
  Unchecked,
  type View,
} from "../check";
import { unlessCode } from "../clouds/aws";
import { awsCommand, ossCommand } from "../paste";
import {
  type Asked,
  type Denial,
  denials,
  missingStatements,
  type Policy,
  parsePolicy,
  statementsIn,
  withStatements,
} from "../policy";

/** What the functions do with objects. */
const S3_ACTIONS = {
  source: ["s3:GetObject", "s3:GetObjectTagging", "s3:ListBucket"],
  destination: ["s3:PutObject", "s3:GetObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload", "s3:ListBucket"],
  replicationSource: ["s3:GetObjectVersionForReplication", "s3:GetReplicationConfiguration"],
  replicationDestination: ["s3:ReplicateObject"],
} as const;
const OSS_ACTIONS = {
  source: ["oss:GetObject", "oss:GetObjectTagging", "oss:ListObjects"],
  destination: ["oss:PutObject", "oss:GetObject", "oss:PutObjectTagging", "oss:ListObjects"],
} as const;

/** Any key: a policy that denies some prefix of the bucket is no fault by itself. */
const SOME_KEY = "some-key";

const bucketPolicy: Check = {
  name: "bucket-policy",
  looksAt: "Deny statements of the bucket's policy that hit the functions: by their network, their account or their encryption",
  why: "A Deny wins over every permission of the bridge's roles: the store answers AccessDenied for each object.",
  when: "always",
  needs: ["bucket"],
  sides: (stack) => SIDES.filter((side) => hasBucket(stack, side)),
  async run(view) {
    const isOss = settingsOf(view).cloud === "alicloud";
    const policy = isOss ? await ossPolicy(view) : await s3Policy(view);
    if (policy.Statement.length === 0) return [];
    const asked = isOss ? await ossRequest(view) : await s3Request(view);
    const found = denials(policy, asked);
    const certain = found.filter(({ unknown }) => unknown.length === 0);
    const open = found.filter(({ unknown }) => unknown.length > 0);
    if (certain.length === 0 && open.length > 0) throw new Unchecked(openText(view, open));
    return certain.map((denial) => problemOf(view, { policy, denial, asked }));
  },
};

const openText = (view: View, open: readonly Denial[]): string =>
  `a Deny in the policy of ${bucketText(view)} depends on ${[...new Set(open.flatMap(({ unknown }) => unknown))].join(", ")}, which cannot be known from here`;

function problemOf(view: View, { policy, denial, asked }: { policy: Policy; denial: Denial; asked: Asked }): Problem {
  const { statement, actions } = denial;
  const name = statement.Sid === undefined ? "a Deny" : `the Deny ${String(statement.Sid)}`;
  const others = policy.Statement.filter((one) => one !== statement);
  const bucket = bucketOf(view);
  const what = `${name} in the policy of ${bucketText(view)} denies the bridge ${actions.join(", ")}`;
  if (settingsOf(view).cloud === "alicloud")
    return {
      what: `${what}; the command removes that statement`,
      fix: ossCommand(view, "put-bucket-policy", { bucket, body: JSON.stringify({ ...policy, Statement: others }) }),
    };
  const exempt = { ...statement, Condition: exempting(statement.Condition, asked.principals) };
  return {
    what: `${what}; the command exempts the bridge's roles`,
    fix: awsCommand(view, "s3api put-bucket-policy", {
      bucket,
      policy: JSON.stringify({ ...policy, Statement: [...others, exempt] }),
    }),
  };
}

/** The condition, which no longer holds for these roles. All operators of a condition must hold. */
function exempting(condition: unknown, roles: readonly string[]): object {
  const operators = (condition ?? {}) as Record<string, Record<string, unknown>>;
  return { ...operators, ArnNotLike: { ...operators.ArnNotLike, "aws:PrincipalArn": [...roles] } };
}

async function s3Policy(view: View): Promise<Policy> {
  const command = new GetBucketPolicyCommand({ Bucket: bucketOf(view) });
  const found = await unlessCode(/^NoSuchBucketPolicy$/, awsOf(view).s3.send(command, { abortSignal: view.signal }));
  return parsePolicy(found?.Policy ?? "");
}

async function ossPolicy(view: View): Promise<Policy> {
  const answer = await alicloudOf(view).setting(bucketOf(view), { policy: null }, /^NoSuchBucketPolicy$/, view.signal);
  return parsePolicy(answer?.text ?? "");
}

/** The functions run outside of a VPC of the operator's, or (`egress: static`) in one without an endpoint of S3. */
async function s3Request(view: View): Promise<Asked> {
  const { stack, side } = view;
  const { accountId } = await awsOf(view).identity();
  const { cloud } = settingsOf(view);
  const partition = isAws(cloud) ? AWS_PARTITIONS[cloud].partition : "aws";
  const arn = `arn:${partition}:s3:::${bucketOf(view)}`;
  const isNative = stack.config.mode === "native";
  const roles = isNative ? ["*"] : functionsOf(stack, side).map(([, name]) => name);
  return {
    principals: (roles.length === 0 ? [`crossborderbridge-${stack.config.name}-*`] : roles).map(
      (role) => `arn:${partition}:iam::${accountId}:role/${role}`,
    ),
    accountId,
    actions: isNative ? S3_ACTIONS[side === "source" ? "replicationSource" : "replicationDestination"] : [...S3_ACTIONS[side]],
    resources: [arn, `${arn}/${SOME_KEY}`],
    facts: {
      ...{ securetransport: "true", sourceip: "public", tlsversion: "1.2", viaawsservice: "false" },
      ...{ sourcevpc: undefined, sourcevpce: undefined, vpcsourceip: undefined, principalaccount: accountId },
      "x-amz-server-side-encryption": settingsOf(view).kmsKeyArn === undefined ? undefined : "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": settingsOf(view).kmsKeyArn,
      "x-amz-acl": undefined,
    },
  };
}

async function ossRequest(view: View): Promise<Asked> {
  const { stack, side, signal } = view;
  const accountId = await alicloudOf(view).accountId(signal);
  const arn = `acs:oss:*:${accountId}:${bucketOf(view)}`;
  // Push writes to the destination with the functions of the source.
  const functions = stack.config.mode === "push" ? functionsOf(stack, "source") : functionsOf(stack, side);
  return {
    principals: functions.map(([, name]) => `arn:sts::${accountId}:assumed-role/${name}/session`).concat(accountId),
    accountId,
    actions: OSS_ACTIONS[side],
    resources: [arn, `${arn}/${SOME_KEY}`],
    facts: { securetransport: "true", sourceip: "public", sourcevpc: undefined },
  };
}

const replicationPolicy: Check = {
  name: "replication-policy",
  looksAt: "the statements of the output `requiredBucketPolicyStatements` in the policy of an adopted bucket",
  why: "S3 may replicate into a bucket of another account only if the policy of that bucket allows it: every object fails.",
  when: "after",
  needs: ["bucket"],
  sides: (stack) => awsSides(stack).filter((side) => stack.outputs?.requiredBucketPolicyStatements?.[side] !== undefined),
  async run(view) {
    const required = statementsIn(parseJson(view.stack.outputs?.requiredBucketPolicyStatements?.[view.side] ?? ""));
    const policy = await s3Policy(view);
    const { accountId } = await awsOf(view).identity();
    const missing = missingStatements(policy, required, { accountId });
    if (missing.length === 0) return [];
    return [
      {
        what: `the policy of ${bucketText(view)} does not allow the replication`,
        fix: awsCommand(view, "s3api put-bucket-policy", { bucket: bucketOf(view), policy: withStatements(policy, missing) }),
      },
    ];
  },
};

export const BUCKET_POLICY_CHECKS: readonly Check[] = [bucketPolicy, replicationPolicy];
