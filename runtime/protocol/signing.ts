/**
 * Signs and verifies requests by the Standard Webhooks specification, with the library `standardwebhooks`.
 * The library's `verify` reads the wall clock and stops at the first secret that fits, so only its `sign` is used here.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { isUtf8 } from "node:buffer";
import { randomBytes, timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";
import { Webhook } from "standardwebhooks";

export const SIGNATURE_HEADERS = {
  id: "webhook-id",
  timestamp: "webhook-timestamp",
  signature: "webhook-signature",
} as const;

/** How far the sender's clock may be from the receiver's, either way. */
export const TOLERANCE_SECONDS = 300;

const SECRET_PREFIX = "whsec_";
const MIN_KEY_BYTES = 24;
const MAX_SECRETS = 8;
const MAX_SIGNATURES = 16;
/** No dot: it separates the fields of the signed text, so an id that holds one could be read in two ways. */
const ID_PATTERN = /^[A-Za-z0-9_-]{1,128}$/;

/** A signing key that neither a log line nor JSON can show. */
export class Secret {
  readonly #webhook: Webhook;

  /** @throws Error when the key is shorter than 24 bytes; the text never holds the key. */
  constructor(key: Uint8Array) {
    if (key.length < MIN_KEY_BYTES) throw new Error(`a signing secret must hold at least ${MIN_KEY_BYTES} bytes`);
    this.#webhook = new Webhook(key, { format: "raw" });
  }

  /** @returns `v1,<base64 HMAC-SHA256 of "id.seconds.body">` */
  sign(id: string, timestampSeconds: number, body: string): string {
    return this.#webhook.sign(id, new Date(timestampSeconds * 1000), body);
  }

  toJSON(): string {
    return "[secret]";
  }

  toString(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/**
 * Reads base64 secrets, `whsec_` in front or not, newest first, separated by spaces or newlines.
 * @throws Error that names the position of the wrong secret and the reason, never its value.
 */
export function parseSecrets(text: string): Secret[] {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const hint = `write one to ${MAX_SECRETS} secrets of the form ${SECRET_PREFIX}<base64 of at least ${MIN_KEY_BYTES} bytes>, newest first`;
  if (words.length === 0) throw new Error(`the signing secret is empty: ${hint}`);
  if (words.length > MAX_SECRETS) throw new Error(`${words.length} signing secrets are too many: ${hint}`);
  return words.map((word, index) => {
    const key = decodeSecret(word);
    if (key === undefined) throw new Error(`signing secret ${index + 1} of ${words.length} cannot be used: ${hint}`);
    return new Secret(key);
  });
}

function decodeSecret(word: string): Uint8Array | undefined {
  const base64 = word.startsWith(SECRET_PREFIX) ? word.slice(SECRET_PREFIX.length) : word;
  const key = Buffer.from(base64, "base64");
  // Buffer skips characters that are not base64: a cut or mistyped secret would silently become a shorter key.
  const exact = key.toString("base64") === base64;
  return exact && key.length >= MIN_KEY_BYTES ? key : undefined;
}

/** A fresh secret as text, 32 random bytes. */
export function generateSecret(): string {
  return SECRET_PREFIX + randomBytes(32).toString("base64");
}

export interface SignedRequest {
  /** Unique per request; `[A-Za-z0-9_-]`, at most 128 characters. */
  id: string;
  timestampMs: number;
  body: string;
  secrets: readonly Secret[];
}

/** Returns the three headers. Every secret signs, so that a new secret may reach sender and receiver in any order. */
export function signRequest({ id, timestampMs, body, secrets }: SignedRequest): Record<string, string> {
  if (!ID_PATTERN.test(id)) throw new Error(`webhook id ${JSON.stringify(id)} must match ${ID_PATTERN.source}`);
  if (secrets.length === 0) throw new Error("a request needs at least one secret to be signed with");
  const seconds = Math.floor(timestampMs / 1000);
  return {
    [SIGNATURE_HEADERS.id]: id,
    [SIGNATURE_HEADERS.timestamp]: String(seconds),
    [SIGNATURE_HEADERS.signature]: secrets.map((secret) => secret.sign(id, seconds, body)).join(" "),
  };
}

export type VerifyFailure = "missing-signature" | "malformed-timestamp" | "too-old" | "too-new" | "bad-signature";
export type Verification = { ok: true; id: string } | { ok: false; reason: VerifyFailure };

export interface ReceivedRequest {
  /** Names in any case. */
  headers: Readonly<Record<string, string | undefined>>;
  /** The bytes as received. */
  body: Uint8Array;
  secrets: readonly Secret[];
  nowMs: number;
}

/** Verifies the signature. It takes the same time whether a secret matches or not. */
export function verifyRequest({ headers, body, secrets, nowMs }: ReceivedRequest): Verification {
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const id = values.get(SIGNATURE_HEADERS.id);
  const timestamp = values.get(SIGNATURE_HEADERS.timestamp);
  const signature = values.get(SIGNATURE_HEADERS.signature);
  if (!id || !timestamp || !signature) return { ok: false, reason: "missing-signature" };

  if (!/^\d{1,12}$/.test(timestamp)) return { ok: false, reason: "malformed-timestamp" };
  const seconds = Number(timestamp);
  const nowSeconds = Math.floor(nowMs / 1000);
  if (nowSeconds - seconds > TOLERANCE_SECONDS) return { ok: false, reason: "too-old" };
  if (seconds - nowSeconds > TOLERANCE_SECONDS) return { ok: false, reason: "too-new" };

  // Bytes that are not UTF-8 decode to the same replacement character: another body could carry the same signature.
  if (!ID_PATTERN.test(id) || !isUtf8(body)) return { ok: false, reason: "bad-signature" };
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  const presented = signature.split(" ", MAX_SIGNATURES).map((value) => Buffer.from(value));
  let matches = 0;
  for (const secret of secrets) {
    const expected = Buffer.from(secret.sign(id, seconds, text));
    for (const candidate of presented) {
      matches |= Number(candidate.length === expected.length && timingSafeEqual(candidate, expected));
    }
  }
  return matches === 1 ? { ok: true, id } : { ok: false, reason: "bad-signature" };
}
