/** Arguments of the component: the configuration, and arguments that only a program can give. */
import type * as alicloud from "@pulumi/alicloud";
import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Role } from "../runtime/protocol/env";
import type { BridgeSettings, DestinationSettings, SourceSettings } from "./config/settings";
import type { Transform } from "./transforms";

interface Deployed {
  /** Deploys everything on this side. */
  provider: aws.Provider | alicloud.Provider;
}

/** Where objects come from, with the provider of that side. */
export interface SourceArgs extends SourceSettings, Deployed {}
/** Where replicas go, with the provider of that side. */
export interface DestinationArgs extends DestinationSettings, Deployed {}

/** The settings of a bridge, and arguments that only a program can give. */
export interface CrossBorderBridgeArgs extends BridgeSettings {
  source: SourceArgs;
  destination: DestinationArgs;
  /** Changes to children before they are declared, each made by `on`. @default [] */
  transform?: readonly Transform[] | undefined;
  /**
   * Logical name of the resource that keeps the bridge's name, its regions and its accounts, so that a preview refuses to move a deployed
   * bridge. A program whose bridge may get another logical name sets it.
   * @default `<logical name of the bridge>-place`
   */
  placeName?: string | undefined;
  /**
   * Your own handlers instead of the prebuilt ones of this package: `index.js` with an exported `handler`. Function Compute accepts only a
   * `FileArchive` of a .zip.
   */
  bundles?: Partial<Record<Role, pulumi.asset.Archive>> | undefined;
}
