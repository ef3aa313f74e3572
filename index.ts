import * as pulumi from "@pulumi/pulumi";
import { CrossBorderBridge } from "./components/cross-border-bridge";
import { createProvider, readConfig } from "./components/stack";

const config = readConfig(new pulumi.Config(), pulumi.getStack());

const bridge = new CrossBorderBridge(config.name, {
  ...config,
  source: { ...config.source, provider: createProvider("source", config) },
  destination: { ...config.destination, provider: createProvider("destination", config) },
});

export = bridge.outputs;
