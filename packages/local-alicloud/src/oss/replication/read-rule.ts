/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketreplication */
import { randomUUID } from "node:crypto";
import { invalidArgument, malformedXml, OssError } from "../oss-error";
import type { ReplicationRule } from "../store/model";
import type { XmlElement } from "../xml-body";

const MAX_ID_CHARACTERS = 255;
const MAX_PREFIXES = 10;
const MAX_PREFIX_BYTES = 1023;
const ACTIONS = new Set(["ALL", "PUT", "DELETE", "ABORT"]);
const RULE = new Set([
  "ID",
  "RTC",
  "PrefixSet",
  "Action",
  "Destination",
  "HistoricalObjectReplication",
  "SyncRole",
  "SourceSelectionCriteria",
  "EncryptionConfiguration",
]);

const textOf = (element: XmlElement, name: string): string | undefined => element.first(name)?.text.trim() || undefined;

function choice<T extends string>(value: string | undefined, name: string, allowed: readonly T[], fallback: T): T {
  if (value === undefined) return fallback;
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw invalidArgument(`${name} must be one of ${allowed.join(", ")}.`, { name, value });
  return found;
}

export const tooManyRules = () =>
  new OssError(400, "TooManyReplicationRules", "Only one data replication rule can be configured in a request.");

/** @throws OssError; `InvalidArgument` also where the documentation names no code */
export function readRule(document: XmlElement, now: number): ReplicationRule {
  const rules = document.all("Rule");
  if (rules.length > 1) throw tooManyRules();
  const rule = document.required("Rule");
  const unknown = Object.keys(rule.toFields()).find((name) => !RULE.has(name));
  if (unknown !== undefined) throw malformedXml(`A replication rule has no element ${unknown}.`);
  const historical = choice(textOf(rule, "HistoricalObjectReplication"), "HistoricalObjectReplication", SWITCH, "enabled");
  const syncRole = readRole(rule);
  // The suite of oss2: without a role, OSS drops what the rule says of KMS.
  const kms = syncRole === undefined ? undefined : readKms(rule);
  return {
    id: readId(rule),
    createdAt: now,
    prefixes: readPrefixes(rule),
    actions: readActions(rule),
    destination: readDestination(rule),
    status: "doing",
    ...(historical === "enabled" ? { historical: {} } : {}),
    ...(syncRole === undefined ? {} : { syncRole }),
    ...(kms === undefined ? {} : { kms }),
    ...(rule.first("RTC") === undefined ? {} : { rtc: readRtc(rule) }),
  };
}

const SWITCH = ["enabled", "disabled"] as const;

/** @throws OssError `MalformedXML`, `InvalidArgument` */
export const readRtc = (element: XmlElement): boolean =>
  choice(element.required("RTC").required("Status").text.trim(), "RTC", SWITCH, "disabled") === "enabled";

function readId(rule: XmlElement): string {
  const id = textOf(rule, "ID") ?? randomUUID();
  if (id.length > MAX_ID_CHARACTERS)
    throw invalidArgument(`The ID of a replication rule has at most ${MAX_ID_CHARACTERS} characters.`, { name: "ID", value: id });
  return id;
}

/** No prefix, or an empty one, stands for every key. */
function readPrefixes(rule: XmlElement): string[] {
  const prefixes =
    rule
      .first("PrefixSet")
      ?.all("Prefix")
      .map(({ text }) => text) ?? [];
  if (prefixes.length > MAX_PREFIXES)
    throw invalidArgument(`A replication rule has at most ${MAX_PREFIXES} prefixes.`, {
      name: "PrefixSet",
      value: String(prefixes.length),
    });
  const long = prefixes.find((prefix) => Buffer.byteLength(prefix) > MAX_PREFIX_BYTES);
  if (long !== undefined)
    throw invalidArgument(`A prefix has at most ${MAX_PREFIX_BYTES} bytes.`, { name: "Prefix", value: long });
  return prefixes;
}

function readActions(rule: XmlElement): string[] {
  const value = textOf(rule, "Action") ?? "ALL";
  const actions = value.split(",").map((action) => action.trim());
  if (!actions.every((action) => ACTIONS.has(action)) || !(actions.includes("ALL") || actions.includes("PUT")))
    throw invalidArgument("Action must be ALL or PUT, or a list that has one of them.", { name: "Action", value });
  return actions;
}

function readDestination(rule: XmlElement): ReplicationRule["destination"] {
  const destination = rule.required("Destination");
  const bucket = textOf(destination, "Bucket");
  const location = textOf(destination, "Location");
  if (bucket === undefined || location === undefined) throw malformedXml("Destination needs Bucket and Location.");
  const transferType = textOf(destination, "TransferType");
  return { bucket, location, transferType: choice(transferType, "TransferType", ["internal", "oss_acc"], "internal") };
}

/** `SyncRole` is the name of a role. OSS refuses an ARN. */
function readRole(rule: XmlElement): string | undefined {
  const value = textOf(rule, "SyncRole");
  if (value !== undefined && !/^[A-Za-z0-9.-]{1,64}$/.test(value))
    throw invalidArgument("SyncRole contains some illegal characters: it is the name of a RAM role.", {
      name: "SyncRole",
      value,
    });
  return value;
}

/** With the status `Disabled` OSS forgets the key: oss2's test_kms_encrypted_status_disabled. */
function readKms(rule: XmlElement): ReplicationRule["kms"] {
  const criteria = rule.first("SourceSelectionCriteria");
  const replicaKeyId = rule.first("EncryptionConfiguration")?.required("ReplicaKmsKeyID").text.trim() || undefined;
  if (criteria === undefined) return replicaKeyId === undefined ? undefined : { enabled: false, replicaKeyId };
  const status = criteria.required("SseKmsEncryptedObjects").required("Status").text.trim();
  if (choice(status, "SseKmsEncryptedObjects", ["Enabled", "Disabled"], "Disabled") === "Disabled") return { enabled: false };
  if (replicaKeyId === undefined)
    throw new OssError(400, "MissingArgument", "ReplicaKmsKeyID is missing: the key of the replicas of KMS-encrypted objects.");
  return { enabled: true, replicaKeyId };
}
