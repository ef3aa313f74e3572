/** The public API of the package, for other Pulumi programs. */
export type { CrossBorderBridgeArgs, DestinationArgs, ScopeArgs, SourceArgs, StoreArgs } from "./args";
export type { ReplicatedBucket, ReplicationRule } from "./aws/native/rules";
export type { Statement } from "./aws/policies";
export { type BridgeConfig, ConfigInvalid, parseBridgeConfig } from "./config";
export { CrossBorderBridge } from "./cross-border-bridge";
export {
  NativeReplication,
  type NativeReplicationArgs,
  type ReplicationSettings,
} from "./native-replication";
export { on, type Transform } from "./transforms";
export { TwoWayReplication, type TwoWayReplicationArgs } from "./two-way-replication";
