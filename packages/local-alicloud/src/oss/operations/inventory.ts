/**
 * Inventory configurations are stored and returned. No inventory is made.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketinventory
 */
import type { Operation } from "../operation";
import { invalidArgument, malformedXml, OssError } from "../oss-error";
import type { XmlFields } from "../xml";
import { parseXmlBody, type XmlElement } from "../xml-body";

const PAGE = 100;
const MAX_INVENTORIES = 1000;

const noSuchInventory = (details: Record<string, string>) =>
  new OssError(404, "NoSuchInventory", "The specified inventory does not exist.", { details });

const idOf = ({ exchange }: Operation): string => {
  const id = exchange.query.get("inventoryId") ?? "";
  if (!/^[\w-]{1,64}$/.test(id))
    throw invalidArgument("inventoryId has 1 to 64 letters, digits, hyphens and underscores.", {
      name: "inventoryId",
      value: id,
    });
  return id;
};

export async function putInventory(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketInventory");
  const { bucket, exchange } = operation;
  const id = idOf(operation);
  const document = await parseXmlBody(await exchange.readDocument(), "InventoryConfiguration");
  if (document.required("Id").text !== id) throw malformedXml("Id must be the inventoryId of the request.");
  const destination = document.required("Destination").required("OSSBucketDestination");
  for (const name of ["Format", "AccountId", "RoleArn"]) destination.required(name);
  const target = destination.required("Bucket").text.trim();
  if (!/^acs:oss:::[a-z0-9-]{3,63}$/.test(target))
    throw invalidArgument("The bucket of an inventory is acs:oss:::<name>.", { name: "Bucket", value: target });
  const encryption = destination.first("Encryption");
  if (encryption?.first("SSE-KMS") !== undefined && encryption.first("SSE-OSS") !== undefined)
    throw malformedXml("Encryption has one of SSE-KMS and SSE-OSS.");
  const frequency = document.required("Schedule").required("Frequency").text;
  if (frequency !== "Daily" && frequency !== "Weekly") throw malformedXml("Frequency must be Daily or Weekly.");
  for (const name of ["IsEnabled", "IncludedObjectVersions"]) document.required(name);
  await bucket.configure(({ inventories = {} }) => {
    if (Object.hasOwn(inventories, id))
      throw new OssError(409, "InventoryAlreadyExist", "The specified inventory already exists.", {
        details: { InventoryId: id },
      });
    if (Object.keys(inventories).length >= MAX_INVENTORIES)
      throw new OssError(400, "InventoryExceedLimit", `A bucket has at most ${MAX_INVENTORIES} inventories.`);
    return { inventories: { ...inventories, [id]: inOrder(document) } };
  });
  exchange.send(200);
}

/** OSS returns the storage classes of a filter in alphabetical order: the suite of oss2 expects it. */
function inOrder(document: XmlElement): XmlFields {
  const fields = document.toFields();
  const filter = document.first("Filter");
  const classes = filter?.first("StorageClass")?.text;
  if (filter === undefined || classes === undefined) return fields;
  return { ...fields, Filter: { ...filter.toFields(), StorageClass: classes.split(",").sort().join(",") } };
}

export async function getInventory(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketInventory");
  const id = idOf(operation);
  const { inventories = {} } = operation.bucket.record;
  const found = Object.hasOwn(inventories, id) ? inventories[id] : undefined;
  if (found === undefined) throw noSuchInventory({ InventoryId: id });
  operation.exchange.sendXml("InventoryConfiguration", found);
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/listbucketinventory */
export async function listInventories(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketInventory");
  const { bucket, exchange } = operation;
  const { name, inventories = {} } = bucket.record;
  if (Object.keys(inventories).length === 0) throw noSuchInventory({ BucketName: name });
  const after = exchange.query.get("continuation-token") || undefined;
  const rest = Object.entries(inventories)
    .filter(([id]) => after === undefined || id > after)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const page = rest.slice(0, PAGE);
  const truncated = rest.length > page.length;
  exchange.sendXml("ListInventoryConfigurationsResult", {
    InventoryConfiguration: page.map(([, fields]) => fields),
    IsTruncated: truncated,
    ContinuationToken: after,
    NextContinuationToken: truncated ? page.at(-1)?.[0] : undefined,
  });
}

export async function deleteInventory(operation: Operation): Promise<void> {
  operation.permit("oss:DeleteBucketInventory");
  const id = idOf(operation);
  await operation.bucket.configure(({ inventories = {} }) => {
    const { [id]: _removed, ...others } = inventories;
    return { inventories: others };
  });
  operation.exchange.send(204);
}
