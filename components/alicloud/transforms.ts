/** Hooks for the children in Alibaba Cloud, grouped as the components are. */
import type * as alicloud from "@pulumi/alicloud";
import type { Transform } from "../transforms";

/** A bucket that the bridge creates, and its settings. */
export interface OssBucketTransforms {
  bucket?: Transform<alicloud.oss.BucketArgs>;
  versioning?: Transform<alicloud.oss.BucketVersioningArgs>;
  acceleration?: Transform<alicloud.oss.BucketTransferAccelerationArgs>;
  publicAccessBlock?: Transform<alicloud.oss.BucketPublicAccessBlockArgs>;
  encryption?: Transform<alicloud.oss.BucketServerSideEncryptionArgs>;
  https?: Transform<alicloud.oss.BucketHttpsConfigArgs>;
  policy?: Transform<alicloud.oss.BucketPolicyArgs>;
}

/** A role that one service takes on, and what it may do. */
export interface RamRoleTransforms {
  role?: Transform<alicloud.ram.RoleArgs>;
  policy?: Transform<alicloud.ram.PolicyArgs>;
  attachment?: Transform<alicloud.ram.RolePolicyAttachmentArgs>;
}

/** One function and what belongs to it. */
export interface FcFunctionTransforms extends RamRoleTransforms {
  function?: Transform<alicloud.fc.V3FunctionArgs>;
  /** How many instances there may be: the sender, the receiver, the dispatcher. */
  concurrency?: Transform<alicloud.fc.V3ConcurrencyConfigArgs>;
  /** How asynchronous invocations of it are retried: the sender, the copier, the dispatcher. */
  invocations?: Transform<alicloud.fc.V3AsyncInvokeConfigArgs>;
}

/** Where one side's functions write their logs. */
export interface LogTransforms {
  project?: Transform<alicloud.log.ProjectArgs>;
  store?: Transform<alicloud.log.StoreArgs>;
  index?: Transform<alicloud.log.StoreIndexArgs>;
}

/** From the bucket's events to a function, and what becomes of keys that are given up. */
export interface OssTriggerTransforms {
  trigger?: Transform<alicloud.fc.V3TriggerArgs>;
  /** The role in which OSS invokes the function. */
  invocation?: RamRoleTransforms;
  deadLetterQueue?: Transform<alicloud.message.ServiceQueueArgs>;
  deadLetterAlarm?: Transform<alicloud.cms.AlarmArgs>;
  errorAlarm?: Transform<alicloud.cms.AlarmArgs>;
}

/** The workflow of mode `push`. */
export interface FlowTransforms extends RamRoleTransforms {
  flow?: Transform<alicloud.fnf.FlowArgs>;
  alarm?: Transform<alicloud.cms.AlarmArgs>;
}

/** The latency probe on one side. */
export interface FcProberTransforms extends FcFunctionTransforms {
  logs?: LogTransforms;
  schedule?: Transform<alicloud.fc.V3TriggerArgs>;
  lateAlarm?: Transform<alicloud.cms.AlarmArgs>;
  errorAlarm?: Transform<alicloud.cms.AlarmArgs>;
}

/** The rule of mode `native`. */
export interface ReplicationTransforms extends RamRoleTransforms {
  rule?: Transform<alicloud.oss.BucketReplicationArgs>;
}

export interface AlicloudTransforms {
  source?: OssBucketTransforms;
  destination?: OssBucketTransforms;
  /** The bucket that keeps the leases. */
  control?: OssBucketTransforms;
  sender?: FcFunctionTransforms;
  receiver?: FcFunctionTransforms;
  copier?: FcFunctionTransforms;
  dispatcher?: FcFunctionTransforms;
  pusher?: FcFunctionTransforms;
  sourceLogs?: LogTransforms;
  destinationLogs?: LogTransforms;
  trigger?: OssTriggerTransforms;
  /** The receiver's HTTP trigger. */
  endpoint?: Transform<alicloud.fc.V3TriggerArgs>;
  flow?: FlowTransforms;
  replication?: ReplicationTransforms;
  prober?: { source?: FcProberTransforms; destination?: FcProberTransforms };
  sourceToken?: Transform<alicloud.oos.SecretParameterArgs>;
  destinationToken?: Transform<alicloud.oos.SecretParameterArgs>;
  sourceInvoker?: Transform<alicloud.oos.SecretParameterArgs>;
}
