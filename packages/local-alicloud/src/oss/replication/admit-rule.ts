/** Checks a new replication rule against the buckets. https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketreplication */
import { EC } from "../error-codes";
import { invalidArgument, OssError } from "../oss-error";
import type { Bucket } from "../store/bucket";
import type { DiskStore } from "../store/disk-store";
import type { ReplicationRule } from "../store/model";
import { hasRtc, linkBetween } from "./locations";

const MAX_RULES = 100;

const refused = (code: string, message: string, details: Record<string, string> = {}) =>
  new OssError(400, code, message, { details });

export interface Surroundings {
  store: DiskStore;
  regions: readonly string[];
  /** `TransferType` of the request. */
  transferType: string | undefined;
}

/** @returns the destination bucket @throws OssError when the rule cannot be accepted */
export function admitRule(source: Bucket, rule: ReplicationRule, { store, regions, transferType }: Surroundings): Bucket {
  const { bucket: name, location } = rule.destination;
  const destination = store.find(name);
  if (destination === undefined || destination === source || destination.record.ownerId !== source.record.ownerId)
    throw refused(
      "InvalidTargetBucket",
      "The target bucket you specified must be another one that exists and belongs to the owner of the source bucket.",
      { TargetBucket: name },
    );
  assertLocation(destination, location, regions);
  if (source.rules.some((one) => one.destination.bucket === name))
    throw refused("BucketReplicationAlreadyExist", "Bucket replication already exists.");
  if (source.rules.some(({ id }) => id === rule.id))
    throw invalidArgument("The ID of a replication rule must be unique.", { name: "ID", value: rule.id });
  if (source.rules.length >= MAX_RULES)
    throw refused("TooManyOutgoingReplication", `A bucket is the source of at most ${MAX_RULES} data replication rules.`);
  const incoming = store.all().filter(({ rules }) => rules.some((one) => one.destination.bucket === name));
  if (incoming.length >= MAX_RULES)
    throw refused("TooManyIncomingReplication", `A bucket is the destination of at most ${MAX_RULES} data replication rules.`);
  assertVersioning(source, destination);
  assertLink(source.record.region, destination.record.region, transferType);
  if (rule.rtc) assertRtc(source.record.region, destination.record.region);
  return destination;
}

function assertLocation(destination: Bucket, location: string, regions: readonly string[]): void {
  if (location === `oss-${destination.record.region}`) return;
  if (location.startsWith("oss-") && !regions.includes(location.slice(4)))
    throw refused("BadReplicationLocation", "The replication location you choose is invalid.", { Location: location });
  throw refused("InvalidTargetLocation", "The target bucket you specified does not locate in the target location.", {
    Location: location,
  });
}

/** https://www.alibabacloud.com/help/en/oss/user-guide/crr-in-specific-scenarios */
function assertVersioning(source: Bucket, destination: Bucket): void {
  const [from, to] = [source.record.versioning, destination.record.versioning];
  if (from === to && from !== "Suspended") return;
  throw refused(
    "InvalidRequest",
    `Different versioning status: both buckets must keep versions or neither; the source is ${from ?? "unversioned"}, the target ${to ?? "unversioned"}.`,
  );
}

/**
 * A rule may leave the link out, also across the border of the mainland: the suite of oss2 does. Inside one region both links are taken: the
 * suite of alibabacloud-oss-v2 (Python) names acceleration there.
 */
function assertLink(source: string, destination: string, transferType: string | undefined): void {
  if (source === destination) return;
  const link = linkBetween(source, destination);
  if (transferType === undefined || transferType === link) return;
  const message = `From ${source} to ${destination} the data transmission link is ${link}.`;
  throw invalidArgument(message, { name: "TransferType", value: transferType }, EC.transferType);
}

export function assertRtc(source: string, destination: string): void {
  if (!hasRtc(source, destination))
    throw refused("ReplicationLocationNotSupportRtc", `There is no RTC from ${source} to ${destination}.`);
}
