/** Every kind of event that a vendor can send about objects: whether the bridge asks for it, and why. */
import * as S3 from "@aws-sdk/client-s3";
import { sourceEvents as ossSourceEvents } from "../../components/alicloud/oss-events";
import { sourceEvents as s3SourceEvents } from "../../components/aws/trigger";

type Subscription = "always" | "deletes: replicate" | "some regions" | "never";
type Row = [event: string, subscription: Subscription, why: string];

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html */
const S3_EVENTS: Row[] = [
  ["s3:ObjectCreated:Put", "always", "another object"],
  ["s3:ObjectCreated:Post", "always", "another object"],
  ["s3:ObjectCreated:Copy", "always", "another object, or other metadata"],
  ["s3:ObjectCreated:CompleteMultipartUpload", "always", "another object"],
  ["s3:ObjectTagging:Put", "always", "other tags"],
  ["s3:ObjectTagging:Delete", "always", "no tags"],
  ["s3:ObjectRemoved:Delete", "always", "the version before the removed one may be current now"],
  [
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "always",
    "the removal of the same marker is told by the event above; S3 has one wildcard for both",
  ],
  ["s3:ObjectRestore:Completed", "always", "an archived object can be read now"],
  ["s3:LifecycleExpiration:Delete", "deletes: replicate", "the object is gone, or a version that was not current"],
  ["s3:LifecycleExpiration:DeleteMarkerCreated", "deletes: replicate", "the object is gone"],
  ["s3:ObjectRestore:Post", "never", "an archived object cannot be read before the restore is complete"],
  ["s3:ObjectRestore:Delete", "never", "the restored copy is gone, the archived object is the same"],
  ["s3:LifecycleTransition", "never", "the same object in another storage class"],
  ["s3:IntelligentTiering", "never", "the same object in another tier"],
  ["s3:ObjectAcl:Put", "never", "ACLs are not replicated"],
  ["s3:ObjectAnnotation:Put", "never", "annotations are not replicated"],
  ["s3:ObjectAnnotation:Delete", "never", "annotations are not replicated"],
  ["s3:ObjectRetention:Put", "never", "retention is not replicated"],
  ["s3:ReducedRedundancyLostObject", "never", "S3 has lost the bytes; the replica stays"],
  ["s3:Replication:OperationFailedReplication", "never", "about S3's own replication to another bucket"],
  ["s3:Replication:OperationNotTracked", "never", "about S3's own replication to another bucket"],
  ["s3:Replication:OperationMissedThreshold", "never", "about S3's own replication to another bucket"],
  ["s3:Replication:OperationReplicatedAfterThreshold", "never", "about S3's own replication to another bucket"],
];

/** https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/overview-of-oss-trigger */
const OSS_TRIGGER_EVENTS: Row[] = [
  ["oss:ObjectCreated:PutObject", "always", "another object"],
  ["oss:ObjectCreated:PostObject", "always", "another object"],
  ["oss:ObjectCreated:CopyObject", "always", "another object, or other metadata"],
  ["oss:ObjectCreated:AppendObject", "always", "a longer object"],
  ["oss:ObjectCreated:CompleteMultipartUpload", "always", "another object"],
  ["oss:ObjectCreated:PutSymlink", "always", "a reader of the link gets another object"],
  ["oss:ObjectReplication:ObjectCreated", "always", "another object, written by OSS's own replication"],
  ["oss:ObjectReplication:ObjectModified", "always", "another object, written by OSS's own replication"],
  ["oss:ObjectReplication:ObjectRemoved", "always", "an older version may be current now"],
  ["oss:ObjectRemoved:DeleteObject", "always", "an older version may be current now"],
  ["oss:ObjectRemoved:DeleteObjects", "always", "an older version may be current now"],
  ["oss:ObjectModified:UpdateObjectMeta", "some regions", "other metadata; OSS has this event in some regions only"],
  ["oss:ObjectCreated:InitiateMultipartUpload", "never", "nothing is visible before the upload is complete"],
  ["oss:ObjectCreated:UploadPart", "never", "nothing is visible before the upload is complete"],
  ["oss:ObjectCreated:UploadPartCopy", "never", "nothing is visible before the upload is complete"],
  ["oss:ObjectRemoved:AbortMultipartUpload", "never", "nothing was visible"],
];

/**
 * Events that OSS sends to a queue of SMQ or to EventBridge, and that a trigger of Function Compute cannot subscribe to.
 * https://www.alibabacloud.com/help/en/oss/user-guide/real-time-processing-file-changes-oss-event-notifications
 */
const OSS_OTHER_EVENTS: Row[] = [
  [
    "oss:ObjectRestore:FinishRestore",
    "never",
    "no trigger has it, and OSS sends it only for Cold Archive and Deep Cold Archive: the bridge asks from time to time",
  ],
  ["oss:ObjectModified:ChangeStorageClass", "never", "no trigger has it; the same object in another storage class"],
  ["oss:ObjectDownloaded:GetObject", "never", "no trigger has it; nothing changes"],
];

const covers = (subscribed: readonly string[], event: string): boolean =>
  subscribed.some((one) => (one.endsWith("*") ? event.startsWith(one.slice(0, -1)) : one === event));

test.each(S3_EVENTS)("%s: %s, because: %s", (event, subscription) => {
  expect(covers(s3SourceEvents("replicate"), event)).toBe(subscription !== "never");
  expect(covers(s3SourceEvents("ignore"), event)).toBe(subscription === "always");
});

test("the table has every event of S3 that the installed SDK knows", () => {
  const known = Object.values(S3.Event).filter((event) => !event.endsWith("*"));
  expect(S3_EVENTS.map(([event]) => event).sort()).toEqual([...known].sort());
});

test.each([...OSS_TRIGGER_EVENTS, ...OSS_OTHER_EVENTS])("%s: %s, because: %s", (event, subscription) => {
  expect(covers(ossSourceEvents("us-west-1"), event)).toBe(subscription === "always");
  expect(covers(ossSourceEvents("cn-shanghai"), event)).toBe(subscription !== "never");
});

test.each(["us-west-1", "cn-shanghai"])("in %s only events that a trigger can have are asked for, each by its name", (region) => {
  const possible = OSS_TRIGGER_EVENTS.map(([event]) => event);
  expect(ossSourceEvents(region).filter((event) => !possible.includes(event))).toEqual([]);
});
