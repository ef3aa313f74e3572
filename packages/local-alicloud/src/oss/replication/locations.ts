/** Which regions can be replicated to, and over which link. */

/** `cn-hongkong` is outside mainland China. */
export const isMainland = (region: string) => region.startsWith("cn-") && region !== "cn-hongkong";

/**
 * The link between two regions: transfer acceleration exactly when one of them is in mainland China and the other is not.
 * https://www.alibabacloud.com/help/en/oss/user-guide/cross-region-replication-overview/
 */
export const linkBetween = (source: string, destination: string): "internal" | "oss_acc" =>
  isMainland(source) === isMainland(destination) ? "internal" : "oss_acc";

const RTC_AREAS: readonly ReadonlySet<string>[] = [
  new Set(["cn-hangzhou", "cn-shanghai", "cn-qingdao", "cn-beijing", "cn-zhangjiakou", "cn-shenzhen"]),
  new Set(["us-west-1", "us-east-1"]),
];

/** Replication time control. https://www.alibabacloud.com/help/en/oss/user-guide/rtc */
export const hasRtc = (source: string, destination: string): boolean =>
  source !== destination && RTC_AREAS.some((area) => area.has(source) && area.has(destination));
