/** How the operator's clients reach a side in its cloud: with the credentials that a deployment finds. */
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import type { BridgeConfig } from "../components/config";
import { operatorCredentials } from "./clouds/alicloud";
import type { SideAccess } from "./operated-bridge";

export function accessTo({ cloud, region, profile }: BridgeConfig["source"]): SideAccess {
  switch (cloud) {
    case "aws":
    case "aws-cn": {
      const named = profile === undefined ? {} : { profile };
      return { cloud, region, credentials: fromNodeProviderChain({ ...named, clientConfig: { region } }) };
    }
    case "alicloud":
      return {
        cloud,
        region,
        credentials: operatorCredentials(profile, process.env),
        originOf: (host) => `https://${host}`,
      };
  }
}
