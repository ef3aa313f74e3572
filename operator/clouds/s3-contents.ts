import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { toBridgeError } from "../../runtime/platforms/aws-lambda/errors";
import { decodeS3Key } from "../../runtime/protocol/events";
import type { BucketContents } from "../bucket-contents";
import type { AwsAccess } from "../operated-bridge";
import { awsClientOptions } from "./aws-client";

/** XML 1.0 cannot hold every key, so S3 is asked to encode them. */
const EncodingType = "url";
const keyIn = ({ EncodingType: encoding }: { EncodingType?: string | undefined }, key = ""): string =>
  (encoding === "url" ? decodeS3Key(key) : undefined) ?? key;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html */
export function openS3Contents(access: AwsAccess, Bucket: string): BucketContents {
  // An address has no host name for each bucket.
  const client = new S3Client({ ...awsClientOptions(access), forcePathStyle: access.endpoint !== undefined });
  const orFail = async <T>(what: string, answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
    try {
      return await answer;
    } catch (cause) {
      signal?.throwIfAborted();
      throw toBridgeError("empty", what, cause);
    }
  };
  return {
    async uploads(abortSignal) {
      const answer = client.send(new ListMultipartUploadsCommand({ Bucket, EncodingType }), { abortSignal });
      const page = await orFail("unfinished uploads cannot be listed", answer, abortSignal);
      return (page.Uploads ?? []).map(({ Key, UploadId: uploadId = "" }) => ({ key: keyIn(page, Key), uploadId }));
    },
    async abort({ key, uploadId }, abortSignal) {
      try {
        await client.send(new AbortMultipartUploadCommand({ Bucket, Key: key, UploadId: uploadId }), { abortSignal });
      } catch (cause) {
        if (cause instanceof Error && cause.name === "NoSuchUpload") return;
        await orFail("an unfinished upload cannot be aborted", Promise.reject(cause), abortSignal);
      }
    },
    async versions(abortSignal) {
      const answer = client.send(new ListObjectVersionsCommand({ Bucket, EncodingType }), { abortSignal });
      const page = await orFail("versions cannot be listed", answer, abortSignal);
      const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
      return found.map(({ Key, VersionId: versionId = "null" }) => ({ key: keyIn(page, Key), versionId }));
    },
    async remove(versions, abortSignal) {
      const Objects = versions.map(({ key, versionId }) => ({ Key: key, VersionId: versionId }));
      const answer = client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }), { abortSignal });
      const { Errors = [] } = await orFail("versions cannot be deleted", answer, abortSignal);
      return Errors.map(({ Key: key = "", Code = "", Message = "" }) => ({ key, reason: `${Code}: ${Message}` }));
    },
    close: async () => client.destroy(),
  };
}
