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
  type Statement,
  statementsIn,
  withExempt,
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
    if (certain.length === 0) return [];
    const fix = isOss ? ossSteps(view) : await s3Command(view, policy);
    return certain.map(({ statement, actions }) => {
      const name = statement.Sid === undefined ? "a Deny" : `the Deny ${String(statement.Sid)}`;
      return { what: `${name} in the policy of ${bucketText(view)} denies the bridge ${actions.join(", ")}`, fix };
    });
  },
};

const openText = (view: View, open: readonly Denial[]): string =>
  `a Deny in the policy of ${bucketText(view)} depends on ${[...new Set(open.flatMap(({ unknown }) => unknown))].join(", ")}, which cannot be known from here`;

/** OSS cannot exempt a role from a Deny, and the bridge cannot know whom somebody wanted to keep out. */
function ossSteps(view: View): string {
  const bucket = bucketOf(view);
  return [
    `${ossCommand(view, "get-bucket-policy", { bucket })} > policy.json`,
    "# in policy.json: name in the Principal of this Deny whom it is meant to keep out, so that the bridge's roles are not among them; then",
    ossCommand(view, "put-bucket-policy", { bucket, body: "file://policy.json" }),
  ].join("\n");
}

/**
 * One command mends all that this program finds in a policy: a policy is written as a whole, so the second of two commands would take back the
 * first. Statements of others stay as they are.
 */
async function s3Command(view: View, policy: Policy): Promise<string> {
  const asked = await s3Request(view);
  const certain = denials(policy, asked).filter(({ unknown }) => unknown.length === 0);
  const exempt = withExempt(
    policy,
    certain.map(({ statement }) => statement),
    asked.principals,
  );
  const mended = withStatements(exempt, missingStatements(policy, requiredStatements(view), asked));
  return awsCommand(view, "s3api put-bucket-policy", { bucket: bucketOf(view), policy: JSON.stringify(mended) });
}

/** The statements of an adopted bucket that S3's own replication needs. */
const requiredStatements = ({ stack, side }: View): Statement[] =>
  statementsIn(parseJson(stack.outputs?.requiredBucketPolicyStatements?.[side] ?? ""));

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
    const policy = await s3Policy(view);
    const { accountId } = await awsOf(view).identity();
    if (missingStatements(policy, requiredStatements(view), { accountId }).length === 0) return [];
    const what = `the policy of ${bucketText(view)} does not allow the replication`;
    return [{ what, fix: await s3Command(view, policy) }];
  },
};

export const BUCKET_POLICY_CHECKS: readonly Check[] = [bucketPolicy, replicationPolicy];
