/** Reads the stack's configuration for `index.ts`. */
import * as pulumi from "@pulumi/pulumi";
import { type BridgeConfig, parseBridgeConfig } from "./config";
import { rawSettings } from "./config/raw-settings";

/** A configuration as read from a stack: the token, where there is one, is a secret. */
export interface StackConfig extends Omit<BridgeConfig, "token"> {
  token?: pulumi.Output<string>;
}

/** @throws ConfigInvalid with every problem at once. */
export function readConfig(config: pulumi.Config, stackName: string): StackConfig {
  const raw = rawSettings(config.name, pulumi.runtime.allConfig());
  const { token, ...settings } = parseBridgeConfig(raw, { stack: stackName });
  return token === undefined ? settings : { ...settings, token: pulumi.secret(token) };
}
