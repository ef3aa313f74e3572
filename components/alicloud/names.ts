/**
 * Names and ARNs as pure functions. An operator finds every resource of a bridge by the bridge's id, and policies can name resources that
 * do not exist yet.
 */
import { createHash } from "node:crypto";
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { controlPrefix } from "../../runtime/protocol/control";
import type { Role } from "../../runtime/protocol/env";
import type { BridgeContext } from "../cloud";
import type { ProberPart } from "../prober";

/** `queue`: keys that wait. `outage`: keys that wait for the other side to come back. */
export type QueuePart = "queue" | "outage" | "dead-letters";

/** A name that must be unique in the account. Deploying two bridges with one id in one account fails. */
export const physicalName = (
  bridgeId: string,
  part: Role | ProberPart | QueuePart | "events" | "flow" | "replication" | "tick",
): string => `crossborderbridge-${bridgeId}-${part}`;

/** Has no slash in front, because the ARN adds one. */
export const secretName = (bridgeId: string, side: "source" | "destination", secret: "token" | "invoker" | "webhook"): string =>
  `crossborderbridge/${bridgeId}/${side}/${secret}`;

const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);

/** Project names are unique among all accounts of a region, so the name has a digest of the account. */
export const logProjectName = (bridgeId: string, part: "source" | "destination" | ProberPart, accountId: string): string =>
  `bridge-${bridgeId}-${part}-${digest(accountId)}`;

const BUCKET_NAME_CHARACTERS = 63;

/** Bucket names are unique in all of OSS, so the name contains the name of the bridge's own bucket. */
export function controlBucketName(bucket: string, bridgeId: string): string {
  const name = `${bucket}-${bridgeId}-bridge-control`;
  if (name.length <= BUCKET_NAME_CHARACTERS) return name;
  return `${name.slice(0, BUCKET_NAME_CHARACTERS - 9).replace(/-+$/, "")}-${digest(name)}`;
}

/** How the keys of the lease logs begin, as `recordLogPrefix` of the runtime gives it. Components do not import it; a test compares both. */
export const leaseLogsPrefix = (bridgeId: string): string => `${controlPrefix(bridgeId)}lease-logs/`;

/** The account and the region of an ARN. */
export interface Place {
  accountId: string;
  region: string;
}

/** Has no region, because bucket names are unique in all regions. */
export const bucketArn = ({ accountId }: Pick<Place, "accountId">, bucket: string): string => `acs:oss:*:${accountId}:${bucket}`;

/** The form of the ARN that a trigger takes as its source. */
export const eventSourceArn = ({ accountId, region }: Place, bucket: string): string =>
  `acs:oss:${region}:${accountId}:${bucket}`;

export const functionArn = ({ accountId, region }: Place, functionName: string): string =>
  `acs:fc:${region}:${accountId}:functions/${functionName}`;

/** For calls about messages. https://www.alibabacloud.com/help/en/fc/user-guide/result-callback */
export const queueArn = ({ accountId, region }: Place, queueName: string): string =>
  `acs:mns:${region}:${accountId}:/queues/${queueName}/messages`;

export const queueUrl = ({ accountId, region }: Place, queueName: string): string =>
  `https://${accountId}.mns.${region}.aliyuncs.com/queues/${queueName}`;

export const logStoreArn = ({ accountId, region }: Place, project: string, store: string): string =>
  `acs:log:${region}:${accountId}:project/${project}/logstore/${store}`;

export const keyArn = ({ accountId, region }: Place, kmsKeyId: string): string =>
  `acs:kms:${region}:${accountId}:key/${kmsKeyId}`;

/**
 * OOS keeps a secret parameter as a secret of KMS. Reading it needs permissions for both.
 * https://help.aliyun.com/zh/oos/use-cases/control-access-to-different-encryption-parameters-from-a-ram-user
 */
export const secretArns = ({ accountId, region }: Place, name: string) => ({
  parameter: `acs:oos:${region}:${accountId}:secretparameter/${name}`,
  secret: `acs:kms:${region}:${accountId}:secret/oos/${name}`,
});

export function placeOf(context: BridgeContext, side: "source" | "destination", parent: pulumi.Resource): pulumi.Output<Place> {
  const { region } = context.config[side];
  const { id } = alicloud.getAccountOutput({ parent, provider: context.provider });
  // A program's own tests may have mocks that know no account.
  return id.apply((accountId = "") => ({ accountId, region }));
}

/** The components of the modes `push` and `pull`, which take events of an OSS source. */
const PARENTS = [
  ["crossborder:alicloud:Push", "push"],
  ["crossborder:alicloud:Trigger", "trigger"],
] as const;

/** Aliases of a resource that both modes have under one physical name. A change of the mode keeps the resource instead of creating a second. */
export const aliasesInModes = ({ name, parent }: Pick<BridgeContext, "name" | "parent">): pulumi.Alias[] =>
  PARENTS.map(([type, part]) => ({ parent: pulumi.createUrn(`${name}-${part}`, type, parent) }));
