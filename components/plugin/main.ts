/** The plugin `pulumi-resource-crossborder`: the component for programs in any language. */
import * as pulumi from "@pulumi/pulumi";
import { manifestOf } from "../bundles";
import { CrossBorderBridge } from "../cross-border-bridge";
import { argumentsOf } from "./arguments";
import { BRIDGE_TOKEN, pluginSchema } from "./schema";

export function bridgeProvider(): pulumi.provider.Provider {
  const { version, description } = manifestOf();
  return {
    version,
    schema: JSON.stringify(pluginSchema({ version, description })),
    async construct(name, type, inputs, options) {
      if (type !== BRIDGE_TOKEN) throw new pulumi.RunError(`the plugin has no resource ${type}; it has ${BRIDGE_TOKEN}`);
      const bridge = new CrossBorderBridge(name, await argumentsOf(name, inputs, options), options);
      return { urn: bridge.urn, state: bridge.outputs };
    },
  };
}

/** Serves the plugin's protocol until the engine ends the process. @param args from the command line: the engine's address */
export const servePlugin = (args: string[]): Promise<void> => pulumi.provider.main(bridgeProvider(), args);
