/** Making an object new in place: a copy onto itself. https://www.alibabacloud.com/help/en/oss/developer-reference/copyobject */
import { assertSameEtag } from "../checks";
import type { CopyLimits } from "../copy-ranges";
import type { CallOptions, PutResult } from "../object-store";
import { crc64Of } from "./checksum";
import type { OssContext } from "./context";
import { copyInParts, copySource, copyWorkMs } from "./copy-parts";
import { lookAt, type OssPresent } from "./present";
import { type OssUploads, withSignal } from "./uploads";
import { xmlText } from "./xml";

const op = "touch";

/** What the vendor recommends to copy by one call; in parts that OSS answers in seconds. */
export const OSS_COPY_LIMITS: CopyLimits = { maxCopyBytes: 1024 ** 3, partSizeBytes: 128 * 1024 ** 2 };

export class OssTouch {
  constructor(
    private readonly context: OssContext,
    private readonly uploads: OssUploads,
    private readonly limits: CopyLimits = OSS_COPY_LIMITS,
  ) {}

  async touch(key: string, options: CallOptions & { ifMatch?: string }): Promise<PutResult> {
    this.context.assertKey(op, key);
    const present = await lookAt(op, this.context, key, options);
    assertSameEtag(op, options.ifMatch, present.etag);
    if (present.sizeBytes <= this.limits.maxCopyBytes) return this.copyWhole(key, present, options);
    return copyInParts(op, this.context, this.uploads, this.limits, key, present, options);
  }

  /**
   * Where no versions are kept OSS takes the headers of the request for a copy onto itself, whatever it is told, and it holds the object
   * only to its etag. So when the answer names another version than the one that the headers are from, equal bytes were written in
   * between with other headers: the object then gets those.
   */
  private async copyWhole(key: string, present: OssPresent, options: CallOptions): Promise<PutResult> {
    let { etag, versionId: expected } = present;
    for (let headersOf = present; ; ) {
      const { result, copiedFrom } = await this.copyOnce(key, etag, headersOf, options);
      if (expected === undefined || copiedFrom === undefined || copiedFrom === expected) return result;
      headersOf = await lookAt(op, this.context, key, options, copiedFrom);
      etag = result.etag;
      expected = result.versionId;
    }
  }

  private async copyOnce(
    key: string,
    etag: string,
    { headers: kept, sizeBytes, checksum }: OssPresent,
    { signal }: CallOptions,
  ): Promise<{ result: PutResult; copiedFrom: string | undefined }> {
    const headers = {
      ...kept,
      ...copySource(this.context, key, etag),
      "x-oss-metadata-directive": "REPLACE",
      "x-oss-tagging-directive": "Copy",
    };
    const request = { op, method: "PUT", key, headers, workMs: copyWorkMs(sizeBytes), ...withSignal(signal) } as const;
    const { result, copiedFrom, received } = await this.context.client.text(request, (text, answer) => ({
      result: this.context.putResult(op, xmlText(text, "ETag") ?? answer.etag, answer),
      copiedFrom: answer["x-oss-copy-source-version-id"],
      received: crc64Of(answer),
    }));
    await this.context.keepOnlyIfReceived(op, key, result, checksum, received);
    return { result, copiedFrom };
  }
}
