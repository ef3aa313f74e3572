import * as alicloud from "@pulumi/alicloud";
import * as aws from "@pulumi/aws";
import type { BridgeConfig } from "./config";

export type CloudProvider = aws.Provider | alicloud.Provider;

/** One side's own provider, which deploys nothing to another account than the configured one. */
export function createProvider(
  side: "source" | "destination",
  config: Pick<BridgeConfig, "source" | "destination">,
): CloudProvider {
  const { cloud, region, profile, accountId } = config[side];
  const given = { region, ...(profile === undefined ? {} : { profile }) };
  switch (cloud) {
    case "aws":
    case "aws-cn":
      // No default tags: they would also land on event source mappings, which take none in AWS China.
      return new aws.Provider(side, { ...given, ...(accountId === undefined ? {} : { allowedAccountIds: [accountId] }) });
    case "alicloud":
      return accountId === undefined ? new alicloud.Provider(side, given) : createVerified(side, given, accountId);
  }
}

/** This provider cannot refuse an account by itself. Whatever uses the second one waits for what the first one finds. */
function createVerified(side: string, given: { region: string; profile?: string }, accountId: string): alicloud.Provider {
  const provider = new alicloud.Provider(`${side}-account`, given);
  const found = alicloud.getAccountOutput({ provider }).id;
  return new alicloud.Provider(side, {
    ...given,
    region: found.apply((id) => {
      assertAccount(side, id, accountId);
      return given.region;
    }),
  });
}

/** @throws Error when the credentials are another account's. */
export function assertAccount(side: string, found: string, expected: string): void {
  if (found !== expected) throw new Error(`the credentials of the ${side} belong to account ${found}, not to ${expected}`);
}
