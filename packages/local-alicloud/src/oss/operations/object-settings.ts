/**
 * https://www.alibabacloud.com/help/en/oss/developer-reference/putobjecttagging
 * https://www.alibabacloud.com/help/en/oss/developer-reference/putobjectacl
 */
import { aclOf, versionHeader } from "../attributes";
import type { Operation } from "../operation";
import type { StoredObject } from "../store/model";
import { checkedTags } from "../tags";
import { parseXmlBody, type XmlElement } from "../xml-body";
import { findObject, permittedObject, versionedAction } from "./find-version";

export const readTags = (document: XmlElement): Record<string, string> =>
  checkedTags(
    document
      .required("TagSet")
      .all("Tag")
      .map((tag): [string, string] => [tag.required("Key").text, tag.required("Value").text]),
  );

export const tagSet = (tags: Readonly<Record<string, string>>) => ({
  TagSet: { Tag: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
});

/** Changes a version in place: its time and its id stay. */
async function change(operation: Operation, edit: (object: StoredObject) => StoredObject): Promise<StoredObject> {
  const { bucket, key, exchange } = operation;
  return bucket.keys.update(key, async (versions) => {
    const object = findObject(bucket, key, exchange.query.get("versionId"));
    const changed = edit(object);
    return { versions: versions.map((version) => (version === object ? changed : version)), result: changed };
  });
}

const versionOf = (operation: Operation, object: StoredObject) => ({
  "x-oss-version-id": versionHeader(operation.bucket.record, object.versionId),
});

export async function putObjectTagging(operation: Operation): Promise<void> {
  operation.permit(versionedAction(operation, "Put", "Tagging"));
  const tags = readTags(await parseXmlBody(await operation.exchange.readDocument(), "Tagging"));
  operation.exchange.send(200, versionOf(operation, await change(operation, (object) => ({ ...object, tags }))));
}

export async function getObjectTagging(operation: Operation): Promise<void> {
  const object = permittedObject(operation, "Get", "Tagging");
  operation.exchange.sendXml("Tagging", tagSet(object.tags), versionOf(operation, object));
}

export async function deleteObjectTagging(operation: Operation): Promise<void> {
  operation.permit(versionedAction(operation, "Delete", "Tagging"));
  operation.exchange.send(204, versionOf(operation, await change(operation, (object) => ({ ...object, tags: {} }))));
}

export async function putObjectAcl(operation: Operation): Promise<void> {
  operation.permit(versionedAction(operation, "Put", "Acl"));
  const acl = aclOf(operation.exchange.header("x-oss-object-acl") ?? "");
  const changed = await change(operation, ({ acl: _before, ...object }) => (acl === undefined ? object : { ...object, acl }));
  operation.exchange.send(200, versionOf(operation, changed));
}

export async function getObjectAcl(operation: Operation): Promise<void> {
  const object = permittedObject(operation, "Get", "Acl");
  const { ownerId } = operation.bucket.record;
  operation.exchange.sendXml(
    "AccessControlPolicy",
    { Owner: { ID: ownerId, DisplayName: ownerId }, AccessControlList: { Grant: object.acl ?? "default" } },
    versionOf(operation, object),
  );
}
