/** What `index.ts` needs beside the component: a stack's configuration, and a provider for each side. */
import * as pulumi from "@pulumi/pulumi";
import type { CloudProvider, Side } from "./cloud";
import { type BridgeConfig, parseBridgeConfig } from "./config";
import { rawSettings } from "./config/raw-settings";
import { CLOUD_COMPONENTS } from "./registry";

/** A configuration as read from a stack. The token and the webhook, where they are set, are secrets. */
export interface StackConfig extends Omit<BridgeConfig, Secret> {
  token?: pulumi.Output<string>;
  alarmWebhookUrl?: pulumi.Output<string>;
  alarmWebhookSecret?: pulumi.Output<string>;
}

const SECRETS = ["token", "alarmWebhookUrl", "alarmWebhookSecret"] as const;
type Secret = (typeof SECRETS)[number];

/** @throws ConfigInvalid with every problem at once. */
export function readConfig(config: pulumi.Config, stackName: string): StackConfig {
  const raw = rawSettings(config.name, pulumi.runtime.allConfig());
  const settings = parseBridgeConfig(raw, { stack: stackName });
  const secrets = SECRETS.flatMap((name) => {
    const value = settings[name];
    return value === undefined ? [] : [[name, pulumi.secret(value)] as const];
  });
  return { ...settings, ...(Object.fromEntries(secrets) as Partial<Record<Secret, pulumi.Output<string>>>) } as StackConfig;
}

/** The provider of one side. It deploys only to the configured account. */
export function createProvider(side: Side, config: Pick<BridgeConfig, Side>): CloudProvider {
  const settings = config[side];
  return CLOUD_COMPONENTS[settings.cloud].provider.create(side, side, settings);
}
