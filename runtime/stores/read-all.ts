import type { Readable } from "node:stream";
import { BridgeError } from "./errors";

/**
 * Reads the whole body into memory.
 * @throws BridgeError `Invalid` when it is longer than `maxBytes`; the stream is destroyed then.
 */
export async function readAll(body: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += (chunk as Buffer).length;
    if (length > maxBytes) throw new BridgeError("Invalid", "read", `the body is longer than ${maxBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks, length);
}
