/** The public API of the package, for other Pulumi programs. */
export type { CrossBorderBridgeArgs, DestinationArgs, SourceArgs } from "./args";
export {
  NativeReplication,
  type NativeReplicationArgs,
  type ReplicationSettings,
} from "./aws/native/replication";
export type { ReplicatedBucket, ReplicationRule } from "./aws/native/rules";
export { TwoWayReplication, type TwoWayReplicationArgs } from "./aws/native/two-way";
export type { Statement } from "./aws/policies";
export { type BridgeConfig, type Cloud, ConfigInvalid, type Mode, type ParseOptions, parseBridgeConfig } from "./config";
export type { S3StorageClass } from "./config/clouds";
export type {
  AuthArgs,
  BridgeSettings,
  CopyArgs,
  DestinationSettings,
  LifecycleRuleArgs,
  ProbeArgs,
  RateLimitArgs,
  ReplicationArgs,
  ReplicationRuleArgs,
  ScopeArgs,
  SourceSettings,
  StoreSettings,
  TimeoutsArgs,
  TransitionArgs,
} from "./config/settings";
export { CrossBorderBridge } from "./cross-border-bridge";
export { on, type ResourceClass, type Transform } from "./transforms";
