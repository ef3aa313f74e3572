/** Growing objects in OSS. https://www.alibabacloud.com/help/en/oss/developer-reference/appendobject */
import type { WholeAnswer } from "../../http/exchange";
import { checksumOf } from "../checksums";
import { BridgeError, isBridgeError } from "../errors";
import type { AppendedTail, AppendStore, CallOptions } from "../object-store";
import type { OssClient } from "./client";
import { contentMd5, crc64Of, required, verifyReceived } from "./metadata";

export class OssAppends implements AppendStore {
  constructor(private readonly client: OssClient) {}

  async append(key: string, position: number, bytes: Uint8Array, { signal }: CallOptions = {}): Promise<{ sizeBytes: number }> {
    const op = "append";
    // The first append creates the object. An append cannot name a KMS key, and a storage class would only add cost.
    const headers = { "content-type": "application/octet-stream", ...contentMd5(bytes) };
    const queries = { append: null, position: `${position}` };
    const request = { op, method: "POST", key, queries, headers, body: bytes, maxAttempts: 1, signal } as const;
    return this.client.text(request, (_, answer) => {
      const sizeBytes = Number(required(op, "next position", answer["x-oss-next-append-position"]));
      if (position === 0) verifyReceived(op, checksumOf("CRC64XZ", bytes), crc64Of(answer));
      return { sizeBytes };
    });
  }

  async readTail(key: string, maxBytes: number, { signal }: CallOptions = {}): Promise<AppendedTail | undefined> {
    const op = "readTail";
    const headers = { range: `bytes=-${maxBytes}`, "x-oss-range-behavior": "standard" };
    try {
      return await this.client.http.send({ op, method: "GET", key, headers, signal }, (answer) => tailOf(op, answer));
    } catch (error) {
      if (isBridgeError(error, "NotFound")) return undefined;
      throw error;
    }
  }
}

/** OSS answers a range that is longer than the object with the whole object, as 200 or as 206. */
function tailOf(op: string, { headers, body: bytes }: WholeAnswer): AppendedTail {
  const total = headers["content-range"]?.split("/")[1];
  const sizeBytes = total === undefined ? bytes.length : Number(total);
  const whole = crc64Of(headers);
  if (bytes.length === sizeBytes && whole !== undefined && checksumOf("CRC64XZ", bytes).value !== whole.value)
    throw new BridgeError("Corrupted", op, "the bytes that arrived do not have the object's CRC-64");
  return { bytes, sizeBytes };
}
