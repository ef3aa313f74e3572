/** What an operator should know about a valid configuration; shown as warnings while deploying. */
import type { BridgeConfig } from "../config";
import { isAws } from "./clouds";
import { isS3Native, receiverInstances } from "./defaults";
import { s3Notices } from "./s3-notices";
import { hasLagAlarms, unusedSettings } from "./unused-settings";

export const ICP_NOTICE =
  "The receiver is an API Gateway endpoint in AWS China with auth.kind: token, so requests carry no AWS signature. AWS China serves " +
  'such endpoints only to accounts with an ICP licence; every other account answers 403 {"message":null}. Get the licence ' +
  "recorded for the account, or set auth.kind: iam, which works without one.";
export const OPEN_ALLOWLIST_NOTICE =
  "allowedCidrs has 0.0.0.0/0: any address may knock at the receiver, and only the signature keeps requests out.";
const STATIC_EGRESS_HINT = " egress: static gives the sender one address to allow.";
export const ADOPTED_SOURCE_NOTICE =
  "The source bucket is adopted, so its notification configuration is left alone (a bucket has one, and writing it replaces what is " +
  "there). Merge the output requiredNotification into it by hand; until then no event reaches this bridge.";
export const OSS_EVENTS_NOTICE =
  "OSS sends no event when only an object's tags change, nor when a lifecycle rule of the source bucket expires an object: such " +
  "changes are carried by the next event of their key.";

export const NATIVE_MARKERS_NOTICE =
  "deletes is ignore, yet OSS replicates delete markers between buckets that keep versions: a deleted object disappears at the " +
  "destination too, and its versions stay.";

const adoptedAcceleration = (side: "source" | "destination") =>
  `The ${side} bucket is adopted, so transfer acceleration is not switched on for it. Enable it by hand, or set ${side}.acceleration: none.`;

export const UNHEARD_ALARMS_NOTICE =
  "alarmTopicArn is heard in its own region and account alone: the alarms at the destination, which tell how far behind it is, have no " +
  "action. Give them one there by transform.";

const overlappingCanaries = ({ everyMinutes, giveUpAfterSeconds }: BridgeConfig["probe"]) =>
  `A canary is sent every ${everyMinutes} min and may be waited for during ${giveUpAfterSeconds} s, so up to ` +
  `${Math.ceil(giveUpAfterSeconds / (everyMinutes * 60))} probers run side by side while objects are late.`;

/** What functions may reserve of the smallest quota that an account has in a region. https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/overview-of-configuring-the-maximum-number-of-on-demand-instances */
const RESERVABLE_INSTANCES = 90;
const quotaNotice = (instances: number) =>
  `Function Compute keeps ${instances} instances for this bridge. A new account has 100 in a region and may reserve ${RESERVABLE_INSTANCES} of ` +
  "them: have the quota raised, or lower concurrency.";

/** In the region where the bridge keeps most of them. */
function reservedInstances(config: BridgeConfig): number {
  const { source, destination, mode, concurrency } = config;
  if (mode === "push") return 2 * concurrency;
  if (mode === "native") return 0;
  const senders = source.cloud === "alicloud" ? concurrency : 0;
  const receivers = destination.cloud === "alicloud" ? receiverInstances(config) : 0;
  return isElsewhere(config) ? Math.max(senders, receivers) : senders + receivers;
}

/** Quotas and topics are of one account and region. */
const isElsewhere = ({ source, destination }: BridgeConfig): boolean =>
  (["cloud", "region", "accountId"] as const).some((name) => source[name] !== destination[name]);

export interface NoticeOptions {
  /** The token is given apart from the configuration. */
  tokenIsGiven?: boolean;
}

export function noticesOf(config: BridgeConfig, { tokenIsGiven = config.token !== undefined }: NoticeOptions = {}): string[] {
  const { source, destination, mode, deletes, scope, probe } = config;
  const notices: string[] = [];
  if (mode === "pull") {
    if (destination.cloud === "aws-cn" && config.auth.kind === "token") notices.push(ICP_NOTICE);
    if (config.allowedCidrs.includes("0.0.0.0/0"))
      notices.push(OPEN_ALLOWLIST_NOTICE + (isAws(source.cloud) ? STATIC_EGRESS_HINT : ""));
  }
  const unused = unusedSettings(config, tokenIsGiven);
  if (unused !== undefined) notices.push(unused);
  if (isS3Native(config)) notices.push(...s3Notices(config));
  else if (source.adopt && isAws(source.cloud)) notices.push(ADOPTED_SOURCE_NOTICE);
  for (const side of ["source", "destination"] as const)
    if (config[side].adopt && (config[side].acceleration ?? "none") !== "none") notices.push(adoptedAcceleration(side));
  if (mode === "native" && source.cloud === "alicloud" && deletes === "ignore") notices.push(NATIVE_MARKERS_NOTICE);
  if (source.cloud === "alicloud" && mode !== "native" && (deletes === "replicate" || Object.keys(scope.tags).length > 0))
    notices.push(OSS_EVENTS_NOTICE);
  const instances = reservedInstances(config);
  if (instances > RESERVABLE_INSTANCES) notices.push(quotaNotice(instances));
  if (config.alarmTopicArn !== undefined && isElsewhere(config) && hasLagAlarms(config)) notices.push(UNHEARD_ALARMS_NOTICE);
  if (probe.everyMinutes > 0 && probe.giveUpAfterSeconds > probe.everyMinutes * 60) notices.push(overlappingCanaries(probe));
  return notices;
}
