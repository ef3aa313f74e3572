/** Making an object new in place: a copy onto itself. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
import { CopyObjectCommand, type CopyObjectCommandOutput } from "@aws-sdk/client-s3";
import { assertSameEtag } from "../checks";
import type { CopyLimits } from "../copy-ranges";
import type { CallOptions, PutResult } from "../object-store";
import { httpOptions, putResult, type S3Calls } from "./calls";
import { copyInParts } from "./copy-parts";
import { withRawExpires } from "./expires";
import { lookAt, type S3Present } from "./present";
import type { S3Uploads } from "./uploads";

const op = "touch";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/copy-object.html */
export const S3_COPY_LIMITS: CopyLimits = { maxCopyBytes: 5 * 1024 ** 3, partSizeBytes: 512 * 1024 ** 2 };

export class S3Touch {
  constructor(
    private readonly calls: S3Calls,
    private readonly uploads: S3Uploads,
    private readonly limits: CopyLimits = S3_COPY_LIMITS,
  ) {}

  async touch(key: string, options: CallOptions & { ifMatch?: string }): Promise<PutResult> {
    const present = await lookAt(op, this.calls, key, options);
    assertSameEtag(op, options.ifMatch, present.etag);
    if (present.sizeBytes <= this.limits.maxCopyBytes) return this.copyWhole(key, present, options);
    return copyInParts(op, this.calls, this.uploads, this.limits, key, present, options);
  }

  /**
   * The copy must be given the headers, or S3 refuses it as one that changes nothing, and it holds the object only to its etag. So when
   * the answer names another version than the one that the headers are from, equal bytes were written in between with other headers:
   * the object then gets those.
   */
  private async copyWhole(key: string, present: S3Present, options: CallOptions): Promise<PutResult> {
    let { etag, versionId: expected } = present;
    for (let headersOf = present; ; ) {
      const copied = await this.copyOnce(key, etag, headersOf, options);
      const result = putResult({ ETag: copied.CopyObjectResult?.ETag, VersionId: copied.VersionId });
      const copiedFrom = copied.CopySourceVersionId;
      if (expected === undefined || copiedFrom === undefined || copiedFrom === expected) return result;
      headersOf = await lookAt(op, this.calls, key, options, copiedFrom);
      etag = result.etag;
      expected = result.versionId;
    }
  }

  private copyOnce(
    key: string,
    etag: string,
    { fields, expires }: S3Present,
    options: CallOptions,
  ): Promise<CopyObjectCommandOutput> {
    const command = new CopyObjectCommand({
      ...this.calls.target(op, key),
      ...fields,
      CopySource: this.calls.copySource(key),
      CopySourceIfMatch: `"${etag}"`,
      // The one above holds when the copy begins, this one when it becomes visible.
      IfMatch: `"${etag}"`,
      MetadataDirective: "REPLACE",
      TaggingDirective: "COPY",
    });
    withRawExpires(command, expires);
    return this.calls.run(op, options, () => this.calls.client.send(command, httpOptions(options)));
  }
}
