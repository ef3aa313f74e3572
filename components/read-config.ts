/** Reads the stack's configuration for `index.ts`. */
import * as pulumi from "@pulumi/pulumi";
import { type BridgeConfig, parseBridgeConfig } from "./config";

/** A configuration as read from a stack: the token, where there is one, is a secret. */
export interface StackConfig extends Omit<BridgeConfig, "token"> {
  token?: pulumi.Output<string>;
}

/** Top-level keys whose value is text even when it looks like a number. */
const TEXT_KEYS: ReadonlySet<string> = new Set(["name", "token", "alarmTopicArn"]);

/** The engine hands every value over as text, structured ones as JSON. */
function decode(key: string, text: string): unknown {
  if (TEXT_KEYS.has(key)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The stack's raw values under this project's namespace, unknown keys included. Pulumi.yaml declares "" for what has no default. */
function rawValues(namespace: string): Record<string, unknown> {
  const prefix = `${namespace}:`;
  return Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig())
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, text]) => [name.slice(prefix.length), text] as const)
      .filter(([, text]) => text !== "")
      .map(([key, text]) => [key, decode(key, text)]),
  );
}

/** @throws ConfigInvalid with every problem at once. */
export function readConfig(config: pulumi.Config, stackName: string): StackConfig {
  const raw = rawValues(config.name);
  const { token, ...settings } = parseBridgeConfig(raw, { stack: stackName });
  return token === undefined ? settings : { ...settings, token: pulumi.secret(token) };
}
