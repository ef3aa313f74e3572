/** Lifecycle rules are stored and returned. They have no effect. */
import { randomUUID } from "node:crypto";
import type { Operation } from "../operation";
import { malformedXml, OssError } from "../oss-error";
import { parseXmlBody } from "../xml-body";

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
  await operation.bucket.configure({
    lifecycle: { Rule: rules.map((rule) => ({ ...rule.toFields(), ID: rule.first("ID")?.text || randomUUID() })) },
  });
  operation.exchange.send(200);
}

export async function getLifecycle(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketLifecycle");
  const { name, lifecycle } = operation.bucket.record;
  if (lifecycle === undefined)
    throw new OssError(404, "NoSuchLifecycle", "No Row found in Lifecycle Table.", { details: { BucketName: name } });
  operation.exchange.sendXml("LifecycleConfiguration", lifecycle);
}

export async function deleteLifecycle(operation: Operation): Promise<void> {
  operation.permit("oss:DeleteBucketLifecycle");
  await operation.bucket.unset("lifecycle");
  operation.exchange.send(204);
}
