import type { Encryption, ReplicationRule, StoredObject } from "../store/model";

const isCustomersKey = (encryption: Encryption | undefined) => encryption?.algorithm === "KMS" && encryption.keyId !== undefined;

/**
 * The encryption of a replica; "never" when the rule does not replicate the object.
 * https://www.alibabacloud.com/help/en/oss/user-guide/crr-in-specific-scenarios
 * @param fallback the default encryption of the destination bucket
 */
export function replicaEncryption(
  { encryption }: StoredObject,
  { kms }: ReplicationRule,
  fallback: Encryption | undefined,
): Encryption | undefined | "never" {
  const underKey = isCustomersKey(encryption ?? fallback);
  if (underKey && kms?.enabled !== true) return "never";
  if (encryption === undefined) return fallback;
  return underKey && kms?.replicaKeyId !== undefined ? { ...encryption, keyId: kms.replicaKeyId } : encryption;
}
