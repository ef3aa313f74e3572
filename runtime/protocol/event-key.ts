/** How stores write keys into their events. The one decoder for all of them. */

/**
 * S3 notifications: `+` is a space, the rest percent-encoded UTF-8.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 * @returns undefined for a malformed percent sequence
 */
export function decodeS3Key(encoded: string): string | undefined {
  return percentDecode(encoded.replaceAll("+", " "));
}

/** As S3 writes a key into a notification. */
export function encodeS3Key(key: string): string {
  return encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");
}

/**
 * OSS does not say whether the key of an event is encoded, so every key that it may mean is looked at: a look at a key that
 * nobody touched does no harm.
 * @returns one key, or each of its different readings
 */
export function possibleOssKeys(written: string): string[] {
  const readings = [written, percentDecode(written), decodeS3Key(written)];
  return [...new Set(readings.filter((key) => key !== undefined))];
}

function percentDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
