import type { OssEvent } from "./contracts";
import type { BucketRecord } from "./store/model";

export interface ChangedObject {
  key: string;
  sizeBytes: number;
  deltaSizeBytes: number;
  etag: string;
}

export interface EventCause {
  at: number;
  requestId: string;
  sourceIp: string;
  accountId: string;
}

/** The event of a changed object. `eventName` is e.g. `ObjectCreated:PutObject`. */
export function ossEvent(eventName: string, bucket: Readonly<BucketRecord>, object: ChangedObject, cause: EventCause): OssEvent {
  const { name, region, ownerId } = bucket;
  return {
    eventName,
    eventSource: "acs:oss",
    eventTime: new Date(cause.at).toISOString(),
    eventVersion: "1.0",
    region,
    oss: {
      bucket: { arn: `acs:oss:${region}:${ownerId}:${name}`, name, ownerIdentity: ownerId },
      object: { deltaSize: object.deltaSizeBytes, eTag: object.etag, key: object.key, size: object.sizeBytes },
      ossSchemaVersion: "1.0",
      ruleId: "",
    },
    requestParameters: { sourceIPAddress: cause.sourceIp },
    responseElements: { requestId: cause.requestId },
    userIdentity: { principalId: cause.accountId },
  };
}
