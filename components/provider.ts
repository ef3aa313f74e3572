import * as aws from "@pulumi/aws";
import type { BridgeConfig } from "./config";

/**
 * One side's own provider. No default tags: they would also land on event source mappings, which take none in AWS China.
 */
export function createProvider(
  side: "source" | "destination",
  config: Pick<BridgeConfig, "source" | "destination">,
): aws.Provider {
  const { region, profile, accountId } = config[side];
  return new aws.Provider(side, {
    region,
    ...(profile === undefined ? {} : { profile }),
    ...(accountId === undefined ? {} : { allowedAccountIds: [accountId] }),
  });
}
