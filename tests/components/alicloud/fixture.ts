/** Sides in Alibaba Cloud, for the fixture of all bridges. */
import { type Built, build, type Variation } from "../bridge-fixture";

export const OSS_SOURCE = { cloud: "alicloud", region: "cn-shanghai", bucket: "from-shanghai" } as const;
export const OSS_DESTINATION = { cloud: "alicloud", region: "us-west-1", bucket: "to-silicon-valley" } as const;

/** From OSS to AWS China. */
export const ossSource = (variation: Variation = {}): Variation => ({
  ...variation,
  source: { ...OSS_SOURCE, ...variation.source },
});
/** From AWS Global to OSS. */
export const ossDestination = (variation: Variation = {}): Variation => ({
  ...variation,
  destination: { ...OSS_DESTINATION, ...variation.destination },
});
/** From OSS to OSS; by pull where nothing else is said. */
export const inOss = (variation: Variation = {}): Variation => ossSource(ossDestination(variation));

/** As a stack that never heard of pull. */
export const BARE = { token: undefined, allowedCidrs: [] } satisfies Variation;
export const push = (variation: Variation = {}): Variation => inOss({ ...BARE, mode: "push", ...variation });
export const native = (variation: Variation = {}): Variation => inOss({ ...BARE, mode: "native", ...variation });

export const ACCOUNT = "3333333333333333";

const recordings = new Map<string, Promise<Built>>();

/** As `build`, but once for each variation: for tests that only read. */
export function recorded(variation: Variation): Promise<Built> {
  const name = JSON.stringify(variation);
  const found = recordings.get(name) ?? build(variation);
  recordings.set(name, found);
  return found;
}
