/** What the package offers to other Pulumi programs. */
export type { CrossBorderBridgeArgs, DestinationArgs, ScopeArgs, SourceArgs, StoreArgs } from "./args";
export { type BridgeConfig, ConfigInvalid, parseBridgeConfig } from "./config";
export { CrossBorderBridge } from "./cross-border-bridge";
export type { BridgeTransforms, Transform } from "./transforms";
