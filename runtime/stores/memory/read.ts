import { Readable } from "node:stream";
import type { Checksum } from "../../protocol/snapshot";
import { abortedError, quietUntilRead } from "../body";
import { checksumOf } from "../checksums";
import { BridgeError } from "../errors";
import type { ByteRange, ObjectHead, StoreCapabilities } from "../object-store";
import { copyAttributes, type MemoryObject } from "./bucket";

export function describe(object: MemoryObject): Omit<ObjectHead, "checksums"> {
  const { etag, bytes, lastModified, versionId, replication } = object;
  const { headers, metadata } = copyAttributes(object);
  const head = { etag, sizeBytes: bytes.byteLength, lastModified: new Date(lastModified), headers, metadata };
  return { ...head, ...(versionId !== undefined && { versionId }), ...(replication !== undefined && { replication }) };
}

export function slice(bytes: Uint8Array, { start, end }: ByteRange): Uint8Array {
  if (start >= bytes.byteLength)
    throw new BridgeError("Invalid", "get", `byte ${start} is beyond the object's ${bytes.byteLength} bytes`);
  return bytes.subarray(start, end + 1);
}

/** `onRead` hears of the bytes when somebody reads them. */
export function bodyOf(bytes: Uint8Array, signal: AbortSignal | undefined, onRead: (length: number) => void): Readable {
  const body = new Readable({
    read() {
      onRead(bytes.byteLength);
      if (bytes.byteLength > 0) this.push(Buffer.from(bytes));
      this.push(null);
    },
  });
  quietUntilRead(body);
  const onAbort = () => body.destroy(abortedError("get", signal?.reason));
  signal?.addEventListener("abort", onAbort, { once: true });
  body.once("close", () => signal?.removeEventListener("abort", onAbort));
  return body;
}

/** The one given, or what the store computes by itself: at the first look, as most objects of a simulation never get one. */
export function checksumsOf(object: MemoryObject, capabilities: StoreCapabilities): Checksum[] {
  const inParts = object.etag.includes("-");
  const algorithm = (inParts ? capabilities.multipartChecksums : capabilities.checksums)[0];
  if (object.checksum === undefined && algorithm !== undefined) object.checksum = checksumOf(algorithm, object.bytes);
  return object.checksum === undefined ? [] : [{ ...object.checksum }];
}
