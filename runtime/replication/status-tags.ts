/** The status tags that bridges set on source objects, and the events that these tags cause. */
import type { SenderConfig } from "../protocol/env";
import type { DecodedLook } from "../protocol/events";
import type { ObjectSnapshot } from "../protocol/snapshot";
import type { ObjectStore } from "../stores/object-store";
import { statusTagOf } from "./snapshot";

export type Status = "PENDING" | "COMPLETED" | "FAILED";

/** S3 and OSS refuse more. An object that has as many tags of its owner gets no status tag. */
const MAX_TAGS = 10;
/** The tag of earlier versions, which all bridges shared. */
const SHARED_TAG = "crossborderbridge-status";

/**
 * Adds the status tag to the tags of the object. Writes nothing when it is set already. PENDING does not replace FAILED: a key that is redriven
 * stays FAILED until it is COMPLETED. So each state of the user gets at most three writes. In a versioned bucket exactly the replicated version
 * is tagged. No store writes tags conditionally: a tag change between the read and the write here is lost at the source.
 */
export async function setStatusTag(
  source: ObjectStore,
  { bridgeId, key, snapshot }: { bridgeId: string; key: string; snapshot: ObjectSnapshot },
  status: Status,
): Promise<void> {
  const { [SHARED_TAG]: _shared, ...tags } = await source.getTags(key);
  const tag = statusTagOf(bridgeId);
  const now = tags[tag];
  if (now === status || (now === "FAILED" && status === "PENDING")) return;
  if (now === undefined && Object.keys(tags).length >= MAX_TAGS) return;
  await source.putTags(key, { ...tags, [tag]: status }, { versionId: snapshot.versionId });
}

/**
 * The session of a Lambda function's role has the name of the function. `physicalName` of the components gives it to the sender of every
 * bridge. Components and runtime do not import each other here; a test compares both.
 */
const SENDER_SESSION = /^AWS:[^:]+:crossborderbridge-.+-sender$/;

/**
 * Why an event is of no interest: it reports a status tag that a bridge wrote. Such an event must start nothing, because a sender that writes
 * a tag for it would wake itself.
 * @returns undefined for an event to look at
 */
export function echoReason(
  { tagging }: Pick<DecodedLook, "tagging">,
  { ownPrincipal, statusTags }: Partial<Pick<SenderConfig, "ownPrincipal" | "statusTags">>,
): string | undefined {
  if (tagging === undefined) return undefined;
  const { principal } = tagging;
  if (principal === undefined)
    return statusTags
      ? "the event of a changed tag does not say who changed it, and with statusTags it may be the bridge itself"
      : undefined;
  if (ownPrincipal !== undefined && `${principal}:`.startsWith(`AWS:${ownPrincipal}:`))
    return "the bridge itself changed the tags";
  return SENDER_SESSION.test(principal) ? "the sender of a bridge changed the tags" : undefined;
}
