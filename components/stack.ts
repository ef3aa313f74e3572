/** What `index.ts` needs beside the component: a stack's configuration, and a provider for each side. */
import * as pulumi from "@pulumi/pulumi";
import type { CloudProvider, Side } from "./cloud";
import { type BridgeConfig, parseBridgeConfig } from "./config";
import { rawSettings } from "./config/raw-settings";
import { CLOUD_COMPONENTS } from "./registry";

/** A configuration as read from a stack. The token, if set, is a secret. */
export interface StackConfig extends Omit<BridgeConfig, "token"> {
  token?: pulumi.Output<string>;
}

/** @throws ConfigInvalid with every problem at once. */
export function readConfig(config: pulumi.Config, stackName: string): StackConfig {
  const raw = rawSettings(config.name, pulumi.runtime.allConfig());
  const { token, ...settings } = parseBridgeConfig(raw, { stack: stackName });
  return token === undefined ? settings : { ...settings, token: pulumi.secret(token) };
}

/** The provider of one side. It deploys only to the configured account. */
export function createProvider(side: Side, config: Pick<BridgeConfig, Side>): CloudProvider {
  const settings = config[side];
  return CLOUD_COMPONENTS[settings.cloud].provider.create(side, side, settings);
}
