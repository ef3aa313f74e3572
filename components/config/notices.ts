/** What an operator should know about a valid configuration; shown as warnings while deploying. */
import type { BridgeConfig } from "../config";
import { isAws } from "./clouds";

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

const unusedSettings = (mode: string, settings: readonly string[]) =>
  `Mode ${mode} sends no request across the border: ${settings.join(", ")} ${settings.length === 1 ? "is" : "are"} not used.`;

export interface NoticeOptions {
  /** The token is given apart from the configuration. */
  tokenIsGiven?: boolean;
}

export function noticesOf(config: BridgeConfig, { tokenIsGiven = config.token !== undefined }: NoticeOptions = {}): string[] {
  const { source, destination, mode, deletes, scope } = config;
  const notices: string[] = [];
  if (mode === "pull") {
    if (destination.cloud === "aws-cn" && config.auth.kind === "token") notices.push(ICP_NOTICE);
    if (config.allowedCidrs.includes("0.0.0.0/0"))
      notices.push(OPEN_ALLOWLIST_NOTICE + (isAws(source.cloud) ? STATIC_EGRESS_HINT : ""));
  } else {
    const unused = unusedIn(config, tokenIsGiven);
    if (unused.length > 0) notices.push(unusedSettings(mode, unused));
  }
  if (source.adopt && isAws(source.cloud)) notices.push(ADOPTED_SOURCE_NOTICE);
  for (const side of ["source", "destination"] as const)
    if (config[side].adopt && (config[side].acceleration ?? "none") !== "none") notices.push(adoptedAcceleration(side));
  if (mode === "native" && deletes === "ignore") notices.push(NATIVE_MARKERS_NOTICE);
  if (source.cloud === "alicloud" && mode !== "native" && (deletes === "replicate" || Object.keys(scope.tags).length > 0))
    notices.push(OSS_EVENTS_NOTICE);
  return notices;
}

/** Settings of pull mode that are given all the same: a stack that swaps its clouds may keep them. */
function unusedIn({ auth, allowedCidrs }: BridgeConfig, tokenIsGiven: boolean): string[] {
  return [
    ...(tokenIsGiven ? ["token"] : []),
    ...(auth.tokenParameter === undefined ? [] : ["auth.tokenParameter"]),
    ...(auth.kind === "iam" ? ["auth.kind"] : []),
    ...(allowedCidrs.length > 0 ? ["allowedCidrs"] : []),
  ];
}
