/** Answers of the control API. https://www.alibabacloud.com/help/en/functioncompute/fc-3-0/developer-reference/api-fc-2023-03-30-struct-function */
import type { AsyncInvokeConfig, FunctionRecord, TriggerRecord } from "../contracts";

export interface Details {
  tags: Map<string, string>;
  createdTime: string;
  lastModifiedTime: string;
}

/** A function is active as soon as it is created. */
export function functionFields(record: FunctionRecord, { tags }: Details): object {
  return {
    ...record,
    ...{ state: "Active", stateReason: "", stateReasonCode: "" },
    ...{ lastUpdateStatus: "Successful", lastUpdateStatusReason: "", lastUpdateStatusReasonCode: "" },
    ...(tags.size === 0 ? {} : { tags: [...tags].map(([tagKey, tagValue]) => ({ tagKey, tagValue })) }),
  };
}

export function triggerFields(trigger: TriggerRecord, functionArn: string, details: Details): object {
  const { functionName: _, ...fields } = trigger;
  const { createdTime, lastModifiedTime } = details;
  return { ...fields, targetArn: `${functionArn}/${trigger.qualifier}`, status: "", createdTime, lastModifiedTime };
}

export function asyncConfigFields(config: AsyncInvokeConfig, functionArn: string, details: Details): object {
  const { onFailure, onSuccess, ...numbers } = config;
  const { createdTime, lastModifiedTime } = details;
  const destinationConfig = {
    ...(onFailure === undefined ? {} : { onFailure: { destination: onFailure } }),
    ...(onSuccess === undefined ? {} : { onSuccess: { destination: onSuccess } }),
  };
  return { ...numbers, destinationConfig, asyncTask: false, functionArn, createdTime, lastModifiedTime };
}

export const concurrencyFields = (reservedConcurrency: number, functionArn: string): object => ({
  functionArn,
  reservedConcurrency,
});
