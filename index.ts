import * as pulumi from "@pulumi/pulumi";
import { CrossBorderBridge } from "./components/cross-border-bridge";
import { createProvider, readConfig } from "./components/stack";

const config = readConfig(new pulumi.Config(), pulumi.getStack());

const bridge = new CrossBorderBridge(config.name, {
  ...config,
  // The component is named by a setting, and this is not, so that a changed name is noticed.
  placeName: "place",
  source: { ...config.source, provider: createProvider("source", config) },
  destination: { ...config.destination, provider: createProvider("destination", config) },
});

export = bridge.outputs;
