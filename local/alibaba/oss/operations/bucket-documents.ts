/** Lifecycle and replication rules: kept and given back, not acted upon. */
import { randomUUID } from "node:crypto";
import type { Operation } from "../operation";
import { invalidArgument, malformedXml, OssError } from "../oss-error";
import type { XmlFields } from "../xml";
import { parseXmlBody } from "../xml-body";

async function keep(operation: Operation, name: string, document: XmlFields | undefined): Promise<void> {
  const { [name]: _before, ...others } = operation.bucket.record.documents;
  await operation.bucket.configure({ documents: document === undefined ? others : { ...others, [name]: document } });
}

function kept(operation: Operation, name: string, missing: { code: string; message: string }): XmlFields {
  const { record } = operation.bucket;
  const document = record.documents[name];
  if (document === undefined) throw new OssError(404, missing.code, missing.message, { details: { BucketName: record.name } });
  return document;
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketlifecycle */
export async function putLifecycle(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketLifecycle");
  const document = await parseXmlBody(await operation.exchange.readDocument(), "LifecycleConfiguration");
  const rules = document.all("Rule");
  if (rules.length === 0 || rules.length > 1000) throw malformedXml("LifecycleConfiguration takes 1 to 1000 rules.");
  for (const rule of rules) {
    const status = rule.required("Status").text.trim();
    if (status !== "Enabled" && status !== "Disabled") throw malformedXml(`Status must be Enabled or Disabled, not ${status}.`);
  }
  await keep(operation, "lifecycle", {
    Rule: rules.map((rule) => ({ ...rule.toFields(), ID: rule.first("ID")?.text || randomUUID() })),
  });
  operation.exchange.send(200);
}

export async function getLifecycle(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketLifecycle");
  const missing = { code: "NoSuchLifecycle", message: "No Row found in Lifecycle Table." };
  operation.exchange.sendXml("LifecycleConfiguration", kept(operation, "lifecycle", missing));
}

export async function deleteLifecycle(operation: Operation): Promise<void> {
  operation.permit("oss:DeleteBucketLifecycle");
  await keep(operation, "lifecycle", undefined);
  operation.exchange.send(204);
}

const NO_REPLICATION = {
  code: "NoSuchReplicationConfiguration",
  message: "The bucket you specified has no replication configuration.",
};

/**
 * `comp=add` and `comp=delete`.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketreplication
 */
export async function changeReplication(operation: Operation): Promise<void> {
  const { exchange, bucket } = operation;
  const comp = exchange.query.get("comp");
  if (comp === "delete") {
    operation.permit("oss:DeleteBucketReplication");
    const document = await parseXmlBody(await exchange.readDocument(), "ReplicationRules");
    const { Rule: rule } = kept(operation, "replication", NO_REPLICATION);
    const id = document.required("ID").text.trim();
    if ((rule as XmlFields).ID !== id)
      throw new OssError(404, "NoSuchReplicationRule", "The replication rule you specified does not exist.", {
        details: { ID: id },
      });
    await keep(operation, "replication", undefined);
  } else if (comp === "add") {
    operation.permit("oss:PutBucketReplication");
    const document = await parseXmlBody(await exchange.readDocument(), "ReplicationConfiguration");
    const rule = document.required("Rule");
    rule.required("Destination").required("Bucket");
    rule.required("Destination").required("Location");
    if (bucket.record.documents.replication !== undefined)
      throw new OssError(400, "BucketReplicationAlreadyExist", "Bucket replication already exists.");
    await keep(operation, "replication", {
      Rule: { ...rule.toFields(), ID: rule.first("ID")?.text || randomUUID(), Status: "doing" },
    });
  } else throw invalidArgument("comp must be add or delete.", { name: "comp", value: comp ?? "" });
  exchange.send(200);
}

export async function getReplication(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketReplication");
  operation.exchange.sendXml("ReplicationConfiguration", kept(operation, "replication", NO_REPLICATION));
}
