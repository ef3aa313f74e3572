/** Names and ARNs, as pure functions: an operator finds everything of a bridge by its id, and policies can name what is not there yet. */
import { createHash } from "node:crypto";
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { controlPrefix } from "../../runtime/protocol/control";
import type { Role } from "../../runtime/protocol/env";
import type { BridgeContext } from "../cloud";
import type { ProberPart } from "../prober";

/** Of everything whose name need only be unique in the account. Two bridges with one id in one account collide, loudly. */
export const physicalName = (
  bridgeId: string,
  part: Role | ProberPart | "dead-letters" | "events" | "flow" | "replication",
): string => `crossborderbridge-${bridgeId}-${part}`;

/** No slash in front: the path of the parameter's ARN begins after its type. */
export const secretName = (bridgeId: string, side: "source" | "destination", secret: "token" | "invoker"): string =>
  `crossborderbridge/${bridgeId}/${side}/${secret}`;

const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);

/** Projects share their names with every account of the region, hence the digest. */
export const logProjectName = (bridgeId: string, part: "source" | "destination" | ProberPart, accountId: string): string =>
  `bridge-${bridgeId}-${part}-${digest(accountId)}`;

const BUCKET_NAME_CHARACTERS = 63;

/** Buckets share their names with all of OSS: what is unique already, the bridge's own bucket, is part of it. */
export function controlBucketName(bucket: string, bridgeId: string): string {
  const name = `${bucket}-${bridgeId}-bridge-control`;
  if (name.length <= BUCKET_NAME_CHARACTERS) return name;
  return `${name.slice(0, BUCKET_NAME_CHARACTERS - 9).replace(/-+$/, "")}-${digest(name)}`;
}

/**
 * Where the bridge's leases are; `leaseLogPrefix` of the runtime, which components do not import. A test holds the two together.
 */
export const leaseLogsPrefix = (bridgeId: string): string => `${controlPrefix(bridgeId)}lease-logs/`;

/** The account and, where the service has them, the region that an ARN is about. */
export interface Place {
  accountId: string;
  region: string;
}

/** OSS has one namespace over all regions. */
export const bucketArn = ({ accountId }: Pick<Place, "accountId">, bucket: string): string => `acs:oss:*:${accountId}:${bucket}`;

/** As a trigger names its source. */
export const eventSourceArn = ({ accountId, region }: Place, bucket: string): string =>
  `acs:oss:${region}:${accountId}:${bucket}`;

/** https://www.alibabacloud.com/help/en/fc/user-guide/result-callback */
export const queueArn = ({ accountId, region }: Place, queueName: string): string =>
  `acs:mns:${region}:${accountId}:/queues/${queueName}/messages`;

export const queueUrl = ({ accountId, region }: Place, queueName: string): string =>
  `https://${accountId}.mns.${region}.aliyuncs.com/queues/${queueName}`;

export const logStoreArn = ({ accountId, region }: Place, project: string, store: string): string =>
  `acs:log:${region}:${accountId}:project/${project}/logstore/${store}`;

export const keyArn = ({ accountId, region }: Place, kmsKeyId: string): string =>
  `acs:kms:${region}:${accountId}:key/${kmsKeyId}`;

/**
 * A secret parameter is kept as a secret of KMS, and reading one takes the permission for both.
 * https://help.aliyun.com/zh/oos/use-cases/control-access-to-different-encryption-parameters-from-a-ram-user
 */
export const secretArns = ({ accountId, region }: Place, name: string) => ({
  parameter: `acs:oos:${region}:${accountId}:secretparameter/${name}`,
  secret: `acs:kms:${region}:${accountId}:secret/oos/${name}`,
});

export function placeOf(context: BridgeContext, side: "source" | "destination", parent: pulumi.Resource): pulumi.Output<Place> {
  const { region } = context.config[side];
  const { id } = alicloud.getAccountOutput({ parent, provider: context.provider });
  return id.apply((accountId) => ({ accountId, region }));
}

/** The components of the two modes that take events of an OSS source. */
const PARENTS = [
  ["crossborder:alicloud:Push", "push"],
  ["crossborder:alicloud:Trigger", "trigger"],
] as const;

/** For what both have under one physical name: whoever changes the mode keeps it, as a second one could not be made. */
export const aliasesInModes = ({ name, parent }: Pick<BridgeContext, "name" | "parent">): pulumi.Alias[] =>
  PARENTS.map(([type, part]) => ({ parent: pulumi.createUrn(`${name}-${part}`, type, parent) }));
