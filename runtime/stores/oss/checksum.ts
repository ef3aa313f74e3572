/** OSS writes its CRC-64 as a decimal number; the port has base64 of eight big-endian bytes. */
import { createHash } from "node:crypto";
import type { Checksum } from "../../protocol/snapshot";
import { BridgeError } from "../errors";

const HEADER = "x-oss-hash-crc64ecma";

export function crc64FromDecimal(decimal: string): Checksum | undefined {
  if (!/^\d{1,20}$/.test(decimal)) return undefined;
  const value = BigInt(decimal);
  if (value > 0xffff_ffff_ffff_ffffn) return undefined;
  const digest = Buffer.alloc(8);
  digest.writeBigUInt64BE(value);
  return { algorithm: "CRC64XZ", value: digest.toString("base64") };
}

/** Of the whole object. Absent for objects older than OSS's checksums. */
export function crc64Of(headers: Readonly<Record<string, string>>): Checksum | undefined {
  return crc64FromDecimal(headers[HEADER] ?? "");
}

/**
 * What OSS says it holds against what was sent. OSS that says nothing has at least checked the Content-MD5.
 * @throws BridgeError `Corrupted` when the two differ.
 */
export function assertReceived(op: string, sent: Checksum, received: Checksum | undefined): void {
  if (received === undefined || received.value === sent.value) return;
  throw new BridgeError(
    "Corrupted",
    op,
    `OSS received bytes with CRC-64 ${received.value}, not the ${sent.value} that were sent`,
  );
}

/** OSS refuses a body that does not match, before anything of it is stored. */
export function contentMd5(bytes: Uint8Array): { "content-md5": string } {
  return { "content-md5": createHash("md5").update(bytes).digest("base64") };
}
