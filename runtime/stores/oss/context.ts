/** What every call to one OSS bucket shares. */
import type { Checksum } from "../../protocol/snapshot";
import { BridgeError, isBridgeError } from "../errors";
import { assertKey } from "../keys";
import type { PutResult, StoreCapabilities } from "../object-store";
import { assertReceived } from "./checksum";
import { type OssClient, required } from "./client";
import { unquote } from "./metadata";

export class OssContext {
  constructor(
    readonly client: OssClient,
    readonly capabilities: StoreCapabilities,
    /** Headers that say where new objects go, by configuration. */
    readonly placement: Readonly<Record<string, string>>,
  ) {}

  /** @throws BridgeError `Invalid` for a key that OSS cannot hold. https://www.alibabacloud.com/help/en/oss/support/0016-00000005 */
  assertKey(op: string, key: string): void {
    assertKey(op, key, this.capabilities.maxKeyBytes);
    if (key.startsWith("/") || key.startsWith("\\"))
      throw new BridgeError(
        "Invalid",
        op,
        `OSS holds no key that begins with ${key[0]}: ${JSON.stringify(key.slice(0, 100))}; rename it at the source, or set a destination prefix`,
      );
  }

  putResult(op: string, etag: string | undefined, headers: Readonly<Record<string, string>>): PutResult {
    const result: PutResult = { etag: unquote(required(op, "ETag", etag)) };
    const versionId = headers["x-oss-version-id"];
    if (versionId !== undefined) result.versionId = versionId;
    return result;
  }

  /**
   * OSS tells the CRC-64 of what it stored only when it is visible. What is wrong then must not stay: exactly the version that was
   * written goes, which brings back the one before, or in a bucket without versions the object, if nobody has replaced it since.
   * @throws BridgeError `Corrupted` when the two differ.
   */
  async keepOnlyIfReceived(
    op: string,
    key: string,
    written: PutResult,
    sent: Checksum | undefined,
    received: Checksum | undefined,
  ): Promise<void> {
    try {
      if (sent?.algorithm === "CRC64XZ") assertReceived(op, sent, received);
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
