/** The encryption of the buckets, and the keys of KMS that the settings name. */
import { DescribeKeyCommand, GetKeyPolicyCommand, type KeyMetadata } from "@aws-sdk/client-kms";
import { GetBucketEncryptionCommand } from "@aws-sdk/client-s3";
import { at, parseJson, textAt } from "../../../runtime/protocol/json";
import { isBridgeError } from "../../../runtime/stores/errors";
import {
  alicloudOf,
  awsOf,
  awsSides,
  bucketOf,
  bucketText,
  type Check,
  hasBucket,
  type Problem,
  SIDES,
  settingsOf,
  type View,
} from "../check";
import { unlessCode } from "../clouds/aws";
import { aliyunCommand, awsCommand, configCommand, inOrder, upCommand } from "../paste";
import { missingStatements, parsePolicy, statementsIn, withStatements } from "../policy";

const encryption: Check = {
  name: "encryption",
  looksAt: "the default encryption of the bucket against `kmsKeyArn` or `kmsKeyId`",
  why: "The functions get the permission for a key only where the settings name it. Without it every object of the bucket is refused.",
  when: "always",
  needs: ["bucket"],
  sides: (stack) => SIDES.filter((side) => hasBucket(stack, side)),
  async run(view) {
    const { kmsKeyArn, kmsKeyId } = settingsOf(view);
    const isOss = settingsOf(view).cloud === "alicloud";
    const key = isOss ? await ossDefaultKey(view) : await s3DefaultKey(view);
    const named = isOss ? kmsKeyId : kmsKeyArn;
    // A destination with a key in its settings gets that key with every write.
    if (key === undefined || isSameKey(key, named) || (named !== undefined && view.side === "destination")) return [];
    const setting = `${view.side}.${isOss ? "kmsKeyId" : "kmsKeyArn"}`;
    const says = named === undefined ? `the settings name no key` : `${setting} is ${named}`;
    return [
      {
        what: `${bucketText(view)} encrypts with the key ${key}, and ${says}`,
        fix: inOrder(configCommand(view, setting, isOss ? key : await arnOf(view, key)), upCommand(view)),
      },
    ];
  },
};

/** A key has an id and an ARN that ends with it. */
const isSameKey = (one: string, other: string | undefined): boolean =>
  other !== undefined && one.split("/").at(-1) === other.split("/").at(-1);

/** The default key, unless it is one that AWS manages. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html */
async function s3DefaultKey(view: View): Promise<string | undefined> {
  const command = new GetBucketEncryptionCommand({ Bucket: bucketOf(view) });
  const found = await unlessCode(
    /ServerSideEncryptionConfigurationNotFound/,
    awsOf(view).s3.send(command, { abortSignal: view.signal }),
  );
  const rule = found?.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
  if (rule?.SSEAlgorithm === undefined || !rule.SSEAlgorithm.startsWith("aws:kms")) return undefined;
  return rule.KMSMasterKeyID === undefined || /alias\/aws\/s3$/.test(rule.KMSMasterKeyID) ? undefined : rule.KMSMasterKeyID;
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketencryption */
async function ossDefaultKey(view: View): Promise<string | undefined> {
  const none = /^NoSuchServerSideEncryptionRule$/;
  const answer = await alicloudOf(view).setting(bucketOf(view), { encryption: null }, none, view.signal);
  const rule = answer?.document?.child("ApplyServerSideEncryptionByDefault");
  return rule?.textOf("SSEAlgorithm") === "KMS" ? rule.textOf("KMSMasterKeyID") || undefined : undefined;
}

/** The settings take an ARN, and a bucket may have an id. */
async function arnOf(view: View, key: string): Promise<string> {
  if (key.startsWith("arn:")) return key;
  const command = new DescribeKeyCommand({ KeyId: key });
  const { KeyMetadata } = await awsOf(view).kms.send(command, { abortSignal: view.signal });
  return KeyMetadata?.Arn ?? key;
}

const kmsKey: Check = {
  name: "kms-key",
  looksAt: "the key of `kmsKeyArn` or `kmsKeyId`: that it is there, enabled, and can encrypt",
  why: "With a key that is disabled, on its way to deletion, or of another kind, no object can be read or written.",
  when: "always",
  needs: ["credentials"],
  sides: ({ config }) => SIDES.filter((side) => (config[side].kmsKeyArn ?? config[side].kmsKeyId) !== undefined),
  unavailable: ({ config, local }, side) =>
    local && config[side].cloud === "alicloud" ? "the local Alibaba Cloud has no KMS" : undefined,
  run: (view) => (settingsOf(view).cloud === "alicloud" ? alicloudKeyProblems(view) : awsKeyProblems(view)),
};

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
async function awsKeyProblems(view: View): Promise<Problem[]> {
  const key = settingsOf(view).kmsKeyArn ?? "";
  const command = new DescribeKeyCommand({ KeyId: key });
  const found = await unlessCode(/^NotFoundException$/, awsOf(view).kms.send(command, { abortSignal: view.signal }));
  if (found === undefined)
    return [{ what: `the key ${key} is not there`, fix: configCommand(view, `${view.side}.kmsKeyArn`, "<the ARN of a key>") }];
  return awsKeyStateProblems(view, key, found.KeyMetadata);
}

function awsKeyStateProblems(view: View, key: string, metadata: KeyMetadata | undefined): Problem[] {
  const { KeyState: state, KeyUsage: usage, KeySpec: spec } = metadata ?? {};
  const enable = awsCommand(view, "kms enable-key", { "key-id": key });
  if (state === "Disabled") return [{ what: `the key ${key} is disabled`, fix: enable }];
  if (state === "PendingDeletion") {
    const cancel = awsCommand(view, "kms cancel-key-deletion", { "key-id": key });
    return [{ what: `the key ${key} is scheduled for deletion`, fix: inOrder(cancel, enable) }];
  }
  if (state !== undefined && state !== "Enabled")
    return [{ what: `the key ${key} is ${state}`, fix: awsCommand(view, "kms describe-key", { "key-id": key }) }];
  const isSymmetric = (usage ?? "ENCRYPT_DECRYPT") === "ENCRYPT_DECRYPT" && (spec ?? "SYMMETRIC_DEFAULT") === "SYMMETRIC_DEFAULT";
  if (isSymmetric) return [];
  return [
    {
      what: `the key ${key} is ${spec} for ${usage}, and S3 encrypts only with a symmetric key`,
      fix: configCommand(view, `${view.side}.kmsKeyArn`, "<the ARN of a symmetric key>"),
    },
  ];
}

/** https://www.alibabacloud.com/help/en/kms/key-management-service/developer-reference/api-describekey */
async function alicloudKeyProblems(view: View): Promise<Problem[]> {
  const { kmsKeyId: KeyId = "", region } = settingsOf(view);
  const call = { host: `kms.${region}.aliyuncs.com`, action: "DescribeKey", version: "2016-01-20", query: { KeyId } };
  const body = await alicloudOf(view)
    .read({ ...call, signal: view.signal })
    .catch((error: unknown) => {
      if (isBridgeError(error, "NotFound")) return undefined;
      throw error;
    });
  if (body === undefined)
    return [{ what: `the key ${KeyId} is not there`, fix: configCommand(view, `${view.side}.kmsKeyId`, "<the id of a key>") }];
  const state = textAt(at(body, "KeyMetadata"), "KeyState");
  if (state === "Enabled") return [];
  const enable = aliyunCommand(view, "kms EnableKey", { KeyId });
  const fix = state === "PendingDeletion" ? inOrder(aliyunCommand(view, "kms CancelKeyDeletion", { KeyId }), enable) : enable;
  return [{ what: `the key ${KeyId} is ${state}`, fix }];
}

const kmsPolicy: Check = {
  name: "kms-policy",
  looksAt: "the policy of the key: that it allows what the output `kmsKeyPolicyStatements` asks for",
  why: "The bridge owns no key, so it cannot allow its roles there. Without that every object is refused with AccessDenied.",
  when: "after",
  needs: ["kms-key"],
  sides: (stack) => awsSides(stack).filter((side) => stack.outputs?.kmsKeyPolicyStatements?.[side] !== undefined),
  async run(view) {
    const key = settingsOf(view).kmsKeyArn ?? "";
    const required = statementsIn(parseJson(view.stack.outputs?.kmsKeyPolicyStatements?.[view.side] ?? ""));
    const command = new GetKeyPolicyCommand({ KeyId: key, PolicyName: "default" });
    const { Policy = "" } = await awsOf(view).kms.send(command, { abortSignal: view.signal });
    const policy = parsePolicy(Policy);
    const { accountId } = await awsOf(view).identity();
    const missing = missingStatements(policy, required, { accountId });
    if (missing.length === 0) return [];
    const roles = missing.flatMap(({ Principal }) => Object.values(Principal as Record<string, string | string[]>).flat());
    return [
      {
        what: `the policy of the key ${key} does not allow ${roles.join(", ")}`,
        fix: awsCommand(view, "kms put-key-policy", {
          "key-id": key,
          "policy-name": "default",
          policy: JSON.stringify(withStatements(policy, missing)),
        }),
      },
    ];
  },
};

/** A key of Alibaba Cloud has no such policy: RAM alone decides there. */
export const ENCRYPTION_CHECKS: readonly Check[] = [encryption, kmsKey, kmsPolicy];
