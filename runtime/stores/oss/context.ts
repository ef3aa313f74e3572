/** What every call to one bucket of OSS shares. */
import type { Checksum } from "../../protocol/snapshot";
import { isBridgeError } from "../errors";
import type { PutResult, StoreCapabilities } from "../object-store";
import { type OssClient, required } from "./client";
import { unquote, verifyReceived } from "./metadata";

export class OssContext {
  constructor(
    readonly client: OssClient,
    readonly capabilities: StoreCapabilities,
    /** Headers with the configured storage class and encryption of new objects. */
    readonly placement: Readonly<Record<string, string>>,
  ) {}

  putResult(op: string, etag: string | undefined, headers: Readonly<Record<string, string>>): PutResult {
    const result: PutResult = { etag: unquote(required(op, "ETag", etag)) };
    const versionId = headers["x-oss-version-id"];
    if (versionId !== undefined) result.versionId = versionId;
    return result;
  }

  /**
   * Compares the CRC-64 that was sent with the one that OSS stored. OSS reports it only when the object is visible, so a wrong object is
   * deleted again. Where versions are kept that is exactly the version that was written, and the one before becomes current. Elsewhere it
   * is the object, unless another write has replaced it since.
   * @throws BridgeError `Corrupted` when the two differ.
   */
  async deleteIfCorrupted(
    op: string,
    key: string,
    written: PutResult,
    { sent, received }: { sent: Checksum | undefined; received: Checksum | undefined },
  ): Promise<void> {
    try {
      if (sent?.algorithm === "CRC64XZ") verifyReceived(op, sent, received);
    } catch (error) {
      await this.discard(op, key, written);
      throw error;
    }
  }

  private async discard(op: string, key: string, { etag, versionId }: PutResult): Promise<void> {
    if (versionId !== undefined && versionId !== "null") {
      await this.client.text({ op, method: "DELETE", key, queries: { versionId } }, () => undefined);
      return;
    }
    try {
      const current = await this.client.text({ op, method: "HEAD", key }, (_, headers) => headers.etag);
      if (current === undefined || unquote(current) !== etag) return;
    } catch (error) {
      if (isBridgeError(error, "NotFound")) return;
      throw error;
    }
    await this.client.text({ op, method: "DELETE", key }, () => undefined);
  }
}
