/** The rules of data replication and their progress. */
import type { Operation } from "../operation";
import { invalidArgument, OssError } from "../oss-error";
import { admitRule, assertRtc } from "../replication/admit-rule";
import { hasRtc, linkBetween } from "../replication/locations";
import { readRtc, readRule, tooManyRules } from "../replication/read-rule";
import { progressOf, ruleFields, statusOf } from "../replication/show-rule";
import type { ReplicationRule } from "../store/model";
import { parseXmlBody } from "../xml-body";

const noSuchRule = (id: string) =>
  new OssError(404, "NoSuchReplicationRule", "The BucketReplicationRule you specified does not exist.", { details: { ID: id } });

const noConfiguration = (bucket: string) =>
  new OssError(404, "NoSuchReplicationConfiguration", "The bucket you specified does not have replication configuration.", {
    details: { BucketName: bucket },
  });

/** `comp=add` and `comp=delete`. */
export async function changeReplication(operation: Operation): Promise<void> {
  const comp = operation.exchange.query.get("comp") ?? "";
  if (comp === "add") await addRule(operation);
  else if (comp === "delete") await deleteRule(operation);
  else throw invalidArgument("comp must be add or delete.", { name: "comp", value: comp });
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketreplication */
async function addRule(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketReplication");
  const { exchange, bucket, store, regions } = operation;
  const document = await parseXmlBody(await exchange.readDocument(), "ReplicationConfiguration");
  const rule = readRule(document, operation.now);
  const transferType = document.required("Rule").required("Destination").first("TransferType")?.text.trim() || undefined;
  await bucket.configure(({ replication = [] }) => {
    const destination = admitRule(bucket, rule, { store, regions, transferType });
    if (rule.syncRole !== undefined) {
      operation.permit("oss:ReplicateGet", bucket);
      operation.permit("oss:ReplicateGet", destination);
    }
    const [from, to] = [bucket.record.region, destination.record.region];
    const link = from === to ? rule.destination.transferType : linkBetween(from, to);
    return { replication: [...replication, { ...rule, destination: { ...rule.destination, transferType: link } }] };
  });
  operation.replicator.begin(bucket, rule);
  exchange.send(200, { "x-oss-replication-rule-id": rule.id });
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/deletebucketreplication */
async function deleteRule(operation: Operation): Promise<void> {
  operation.permit("oss:DeleteBucketReplication");
  const { exchange, bucket } = operation;
  const document = await parseXmlBody(await exchange.readDocument(), "ReplicationRules");
  if (document.all("ID").length > 1) throw tooManyRules();
  const id = document.required("ID").text.trim();
  const rule = bucket.rules.find((one) => one.id === id);
  if (rule === undefined && bucket.rules.length > 0) throw noSuchRule(id);
  if (rule?.status === "closing") {
    exchange.send(204);
    return;
  }
  if (rule !== undefined) {
    await changeRule(operation, id, { status: "closing" });
    await operation.replicator.close(bucket, rule);
  }
  exchange.send(200);
}

const changeRule = ({ bucket }: Operation, id: string, change: Partial<ReplicationRule>) =>
  bucket.configure(({ replication = [] }) => ({
    replication: replication.map((rule) => (rule.id === id ? { ...rule, ...change } : rule)),
  }));

const shownStatus = ({ now, replicator }: Operation, rule: ReplicationRule) => statusOf(rule, now, replicator.stateMs);

/** https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketreplication */
export async function getReplication(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketReplication");
  const { bucket, now } = operation;
  if (bucket.rules.length === 0) throw noConfiguration(bucket.name);
  operation.exchange.sendXml("ReplicationConfiguration", {
    Rule: bucket.rules.map((rule) => ruleFields(rule, progressOf(bucket, rule, now), shownStatus(operation, rule))),
  });
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketreplicationprogress */
export async function getReplicationProgress(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketReplicationProgress");
  const { bucket, exchange } = operation;
  const id = exchange.query.get("rule-id");
  if (id === undefined) throw invalidArgument("rule-id is missing.", { name: "rule-id", value: "" });
  const rule = bucket.rules.find((one) => one.id === id);
  if (rule === undefined) throw noSuchRule(id);
  const progress = progressOf(bucket, rule, operation.now);
  const status = shownStatus(operation, rule);
  const { SyncRole: _role, ...fields } = ruleFields(rule, progress, status);
  const shown = {
    HistoricalObject: rule.historical === undefined ? undefined : progress.historical,
    NewObject: new Date(progress.newUntil).toISOString(),
  };
  exchange.sendXml("ReplicationProgress", { Rule: { ...fields, Progress: status === "doing" ? shown : undefined } });
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketreplicationlocation */
export async function getReplicationLocation(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketReplicationLocation");
  const { bucket, exchange, regions } = operation;
  const { region } = bucket.record;
  const accelerated = regions.filter((other) => linkBetween(region, other) === "oss_acc");
  const controlled = regions.filter((other) => hasRtc(region, other));
  exchange.sendXml("ReplicationLocation", {
    Location: regions.map((other) => `oss-${other}`),
    LocationTransferTypeConstraint: {
      LocationTransferType: accelerated.map((other) => ({ Location: `oss-${other}`, TransferTypes: { Type: "oss_acc" } })),
    },
    LocationRTCConstraint: { Location: controlled.map((other) => `oss-${other}`) },
  });
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketrtc */
export async function putRtc(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketRtc");
  const { bucket, exchange, store } = operation;
  const document = await parseXmlBody(await exchange.readDocument(), "ReplicationRule");
  const rtc = readRtc(document);
  const id = document.required("ID").text.trim();
  const rule = bucket.rules.find((one) => one.id === id);
  if (rule === undefined) throw noSuchRule(id);
  if (rtc) assertRtc(bucket.record.region, store.find(rule.destination.bucket)?.record.region ?? "");
  await changeRule(operation, id, { rtc });
  exchange.send(200);
}
