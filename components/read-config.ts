/** Reads the stack's configuration for `index.ts`. */
import * as pulumi from "@pulumi/pulumi";
import { type BridgeConfig, parseBridgeConfig } from "./config";
import { decodeSetting } from "./config/decode-setting";

/** A configuration as read from a stack: the token, where there is one, is a secret. */
export interface StackConfig extends Omit<BridgeConfig, "token"> {
  token?: pulumi.Output<string>;
}

/** The stack's raw values under this project's namespace, unknown keys included. Pulumi.yaml declares "" for what has no default. */
function rawValues(namespace: string): Record<string, unknown> {
  const prefix = `${namespace}:`;
  return Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig())
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, text]) => [name.slice(prefix.length), text] as const)
      .filter(([, text]) => text !== "")
      .map(([key, text]) => [key, decodeSetting(key, text)]),
  );
}

/** @throws ConfigInvalid with every problem at once. */
export function readConfig(config: pulumi.Config, stackName: string): StackConfig {
  const raw = rawValues(config.name);
  const { token, ...settings } = parseBridgeConfig(raw, { stack: stackName });
  return token === undefined ? settings : { ...settings, token: pulumi.secret(token) };
}
