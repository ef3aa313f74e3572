/** Notices about the hosts through which objects leave or reach a bucket of OSS from outside its region. */
import { isMainland } from "./clouds";
import { SIDES } from "./define-rule";
import type { BridgeConfig } from "./parse";

type Side = (typeof SIDES)[number];

export function ossHostNotices(config: BridgeConfig): string[] {
  return SIDES.filter((side) => config[side].cloud === "alicloud").flatMap((side) => noticesOfSide(config, side));
}

function noticesOfSide(config: BridgeConfig, side: Side): string[] {
  const { region, bucket, adopt, customDomain, acceleration = "none" } = config[side];
  if (customDomain !== undefined) {
    const notices: string[] = [];
    if (adopt) notices.push(unboundDomain(side, bucket, customDomain));
    if (acceleration !== "none") notices.push(acceleratedDomain(side, `${bucket}.${ACCELERATED[acceleration]}`, customDomain));
    return notices;
  }
  const notices = isMainland(region) ? [publicHost(config, side)] : [];
  if (side === "source" && mayReadPackages(config)) notices.push(PACKAGES_NOTICE);
  return notices;
}

const ACCELERATED = { global: "oss-accelerate.aliyuncs.com", overseas: "oss-accelerate-overseas.aliyuncs.com" } as const;

const WAY_OUT = (side: Side) =>
  `Set ${side}.customDomain to a domain of yours (with an ICP filing) for such an account; docs/deploy.md has the steps.`;

/** https://www.alibabacloud.com/help/en/oss/user-guide/0048-00000401 */
function publicHost(config: BridgeConfig, side: Side): string {
  const { region, acceleration = "none" } = config[side];
  const host = `oss-${region}.aliyuncs.com`;
  const data = dataFromOutside(config, side);
  const carried = [
    ...(data !== undefined && acceleration === "none" ? [data] : []),
    "what the commands status and backfill read",
  ];
  const accelerated =
    data !== undefined && acceleration !== "none"
      ? ` It is not documented whether ${ACCELERATED[acceleration]}, which carries ${data}, is exempt.`
      : "";
  return (
    `${side}.region ${region} is on the Chinese mainland, and its public host ${host} carries ${carried.join(" and ")}. Accounts that ` +
    `activated OSS on or after 2025-03-20 get the answer PublicEndpointForbidden there.${accelerated} ${WAY_OUT(side)}`
  );
}

/** The objects that reach this side from outside its region; undefined where functions use the internal host. */
function dataFromOutside({ source, destination, mode }: BridgeConfig, side: Side): string | undefined {
  if (mode === "pull" && side === "source") return "the URLs that the destination reads";
  const isFar = source.region !== destination.region || (destination.acceleration ?? "none") !== "none";
  return mode === "push" && side === "destination" && isFar ? `the writes from ${source.region}` : undefined;
}

/** https://www.alibabacloud.com/help/en/oss/user-guide/what-to-do-with-apkdownloadforbidden-reporting-an-error */
const PACKAGE_SUFFIXES = [".apk", ".ipa"];

export const PACKAGES_NOTICE =
  "The destination reads the source by URL. By a URL of its own host OSS serves no key that ends in .apk or .ipa, and no object of their " +
  "content types (ApkDownloadForbidden); such keys wait. Set source.customDomain, or name other endings in scope.suffixes.";

/** Whether the destination reads URLs of OSS, and keys of packages can be in scope. */
function mayReadPackages({ mode, scope }: BridgeConfig): boolean {
  const { suffixes } = scope;
  const matches = (suffix: string) =>
    PACKAGE_SUFFIXES.some((end) => end.endsWith(suffix.toLowerCase()) || suffix.toLowerCase().endsWith(end));
  return mode === "pull" && (suffixes.length === 0 || suffixes.some(matches));
}

const unboundDomain = (side: Side, bucket: string, domain: string): string =>
  `The ${side} bucket is adopted, so the bridge does not bind ${domain} to it. Bind it to ${bucket} by hand, with a certificate.`;

/** https://www.alibabacloud.com/help/en/oss/user-guide/access-buckets-via-custom-domain-names */
const acceleratedDomain = (side: Side, host: string, domain: string): string =>
  `${side}.customDomain takes the place of the acceleration endpoint: ${side}.acceleration works only where the CNAME record of ${domain} ` +
  `leads to ${host}.`;
