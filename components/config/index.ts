export { type Acceleration, type Cloud, isMainland, type Mode } from "./clouds";
export { COPIER_EVENT_AGE_SECONDS, probePrefixOf } from "./defaults";
export { withinEnvironment } from "./environment";
export { ConfigInvalid } from "./errors";
export { isCheckedAtSource, LAMBDA_QUOTA, lambdaQuotaNotices, senderExecutions, unknownQuota } from "./lambda-quota";
export { noticesOf } from "./notices";
export { type BridgeConfig, type ParseOptions, parseBridgeConfig } from "./parse";
export type { LifecycleRule, ReplicationRule } from "./s3-schema";
