/** https://www.alibabacloud.com/help/en/oss/developer-reference/restoreobject */
import { READABLE_CLASSES, restoreStateOf, versionHeader } from "../attributes";
import type { Operation } from "../operation";
import { invalidArgument, malformedXml, OssError } from "../oss-error";
import { parseXmlBody } from "../xml-body";
import { findObject, versionedAction } from "./find-version";

const DAY_MS = 86_400_000;
const TIERS = ["Expedited", "Standard", "Bulk"];
const DEFAULT_TIER = "Standard";
/** Only these classes have tiers. */
const TIERED_CLASSES: ReadonlySet<string> = new Set(["ColdArchive", "DeepColdArchive"]);

/** The first call starts a restore, which takes `restoreMs` here. A call after its end prolongs the time in which the object can be read. */
export async function restoreObject(operation: Operation): Promise<void> {
  operation.permit(versionedAction(operation, "Restore", ""));
  const { exchange, bucket, key, now } = operation;
  const { days, tier, namesTier } = await wishOf(operation);
  const answer = await bucket.keys.update(key, async (versions) => {
    const object = findObject(bucket, key, exchange.query.get("versionId"));
    if (READABLE_CLASSES.has(object.storageClass) || object.type === "Symlink")
      throw new OssError(400, "OperationNotSupported", "The operation is not supported for this resource");
    if (namesTier && !TIERED_CLASSES.has(object.storageClass))
      throw malformedXml(`JobParameters is not for objects of the class ${object.storageClass}.`);
    const state = restoreStateOf(object, now);
    // A higher tier may be asked for while a restore runs. Tiers make no difference here, so every second call is refused.
    if (state === "ongoing") throw new OssError(409, "RestoreAlreadyInProgress", "The restore operation is in progress.");
    const readableFrom = state === "done" ? now : now + operation.restoreMs;
    const restored = { ...object, restore: { readableFrom, readableUntil: readableFrom + days * DAY_MS } };
    return {
      versions: versions.map((version) => (version === object ? restored : version)),
      result: {
        status: state === "done" ? 200 : 202,
        tier: TIERED_CLASSES.has(object.storageClass) ? tier : undefined,
        versionId: object.versionId,
      },
    };
  });
  exchange.send(answer.status, {
    "x-oss-object-restore-priority": answer.tier,
    "x-oss-version-id": versionHeader(bucket.record, answer.versionId),
  });
}

/** Ends the time in which a restored object can be read. https://www.alibabacloud.com/help/en/oss/developer-reference/cleanrestoredobject */
export async function cleanRestoredObject(operation: Operation): Promise<void> {
  operation.permit("oss:CleanRestoredObject");
  const { exchange, bucket, key, now } = operation;
  await bucket.keys.update(key, async (versions) => {
    const object = findObject(bucket, key, exchange.query.get("versionId"));
    const state = restoreStateOf(object, now);
    if (state === "ongoing") throw new OssError(409, "ArchiveRestoreNotFinished", "The archive file's restore is not finished.");
    if (state === "none") throw new OssError(409, "ArchiveRestoreFileStale", "The archive file or restore info stale");
    const { restore: _ended, ...frozen } = object;
    return { versions: versions.map((version) => (version === object ? frozen : version)), result: undefined };
  });
  exchange.send(200);
}

/** One day and the default tier without a document. The documentation gives the limits, and not the code of the refusal. */
async function wishOf({ exchange }: Operation): Promise<{ days: number; tier: string; namesTier: boolean }> {
  const body = await exchange.readDocument();
  if (body.length === 0) return { days: 1, tier: DEFAULT_TIER, namesTier: false };
  const document = await parseXmlBody(body, "RestoreRequest");
  const days = Number(document.first("Days")?.text ?? "1");
  if (!Number.isInteger(days) || days < 1 || days > 365) throw malformedXml("Days must be a whole number from 1 to 365.");
  const parameters = document.first("JobParameters");
  const tier = parameters?.first("Tier")?.text ?? DEFAULT_TIER;
  if (!TIERS.includes(tier)) throw invalidArgument(`Tier must be one of ${TIERS.join(", ")}.`, { name: "Tier", value: tier });
  return { days, tier, namesTier: parameters !== undefined };
}
