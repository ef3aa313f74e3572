/** The objects of a workload: the same bytes in every run, which no store and no client can compress. */
import { type Cipher, createCipheriv, createHash } from "node:crypto";
import { createCRC64 } from "hash-wasm";

export interface ObjectPlan {
  count: number;
  sizeBytes: number;
}

export interface PlannedObject {
  key: string;
  sizeBytes: number;
}

export function objectsOf({ count, sizeBytes }: ObjectPlan): PlannedObject[] {
  return Array.from({ length: count }, (_, index) => ({ key: `data/${String(index).padStart(6, "0")}`, sizeBytes }));
}

const PIECE_BYTES = 1024 ** 2;

/** The bytes of an object in pieces of at most 1 MiB, derived from its key. */
export function* contentOf({ key, sizeBytes }: PlannedObject): Generator<Buffer> {
  const stream = keyStream(key);
  for (let left = sizeBytes; left > 0; left -= PIECE_BYTES) yield stream.update(Buffer.alloc(Math.min(PIECE_BYTES, left)));
}

function keyStream(key: string): Cipher {
  const seed = createHash("sha256").update(key).digest();
  return createCipheriv("aes-128-ctr", seed.subarray(0, 16), seed.subarray(16));
}

export function bytesOf(object: PlannedObject): Buffer {
  return Buffer.concat([...contentOf(object)]);
}

/** CRC-64/NVME, reflected: the checksum that S3 keeps of every object. */
const POLYNOMIAL = "9a6c9329ac4bc9b5";

/** @returns the value of the header `x-amz-checksum-crc64nvme` */
export async function crc64NvmeOf(pieces: Iterable<Buffer>): Promise<string> {
  const hasher = await createCRC64(POLYNOMIAL);
  for (const piece of pieces) hasher.update(piece);
  return Buffer.from(hasher.digest("binary")).toString("base64");
}

/** @returns the SHA-256 in hex */
export async function digestOf(pieces: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}
