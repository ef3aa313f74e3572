/**
 * The public API. `startLocalAlicloud` starts everything in this process; the services below it can also be started or used one by one.
 */

/** One service alone, e.g. OSS with the credentials and permissions that a test defines. */
export { type ApiOptions, serveApi } from "./api/serve-api";
export type { Certificate } from "./certificate";
export { type CloudFlowOptions, createCloudFlow } from "./cloudflow/cloud-flow";
export { CLOUDFLOW_REGIONS } from "./cloudflow/limits";
export {
  type FlowAnswer,
  type FlowSimulation,
  type FunctionCall,
  FunctionFailure,
  type FunctionScript,
  ServiceFailure,
  SIMULATED_ACCOUNT_ID,
  SIMULATED_FUNCTION_ARN,
  SIMULATED_REGION,
  SIMULATED_ROLE_ARN,
  simulateCloudFlow,
  type VirtualClock,
} from "./cloudflow/simulation";
/** The types of the handle's services, and their error. */
export {
  type ApiAnswer,
  type ApiCall,
  ApiError,
  type ApiHandler,
  type AsyncInvokeConfig,
  type CallRecord,
  type CloudFlow,
  type ExecutionRecord,
  type FlowSpec,
  type FunctionCompute,
  type FunctionRecord,
  type FunctionSpec,
  type Invocation,
  type LogEntry,
  type MessageService,
  type QueueSpec,
  type Ram,
  type RamPolicy,
  type RamRole,
  type SecretParameters,
  type StsSession,
  type TriggerRecord,
  type TriggerSpec,
} from "./contracts";
export {
  DEFAULT_ACCOUNT_ID,
  DEFAULT_REGIONS,
  type LocalAlicloud,
  type LocalAlicloudOptions,
  type RegionEndpoints,
  startLocalAlicloud,
} from "./local-alicloud";
export { type LogServiceOptions, serveLogs } from "./log-service/log-service";
export { createMessageService, type LocalMessageService, type MessageServiceOptions } from "./message-service/message-service";
export type { Authorize, Credential, CredentialStore, EndpointKind, OssEvent, Principal, RequestRecord } from "./oss/contracts";
export { type LocalOss, type LocalOssOptions, startLocalOss } from "./oss/local-oss";
/** RAM policies: parse a document, and evaluate whether it allows a request. */
export { evaluatePolicies, type PolicyRequest } from "./ram/evaluate";
export { type PolicyDocument, parsePolicyDocument } from "./ram/policy-document";
export { createRam, type RamOptions } from "./ram/ram";
export { createRecords, createSettingRecords, type Records, type SettingRecords, type Settings } from "./records";
