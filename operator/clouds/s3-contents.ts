import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  S3Client,
} from "@aws-sdk/client-s3";
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
  return {
    async uploads(abortSignal) {
      const page = await client.send(new ListMultipartUploadsCommand({ Bucket, EncodingType }), { abortSignal });
      return (page.Uploads ?? []).map(({ Key, UploadId: uploadId = "" }) => ({ key: keyIn(page, Key), uploadId }));
    },
    async abort({ key, uploadId }, abortSignal) {
      try {
        await client.send(new AbortMultipartUploadCommand({ Bucket, Key: key, UploadId: uploadId }), { abortSignal });
      } catch (error) {
        if (!(error instanceof Error) || error.name !== "NoSuchUpload") throw error;
      }
    },
    async versions(abortSignal) {
      const page = await client.send(new ListObjectVersionsCommand({ Bucket, EncodingType }), { abortSignal });
      const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
      return found.map(({ Key, VersionId: versionId = "null" }) => ({ key: keyIn(page, Key), versionId }));
    },
    async remove(versions, abortSignal) {
      const Objects = versions.map(({ key, versionId }) => ({ Key: key, VersionId: versionId }));
      const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }), {
        abortSignal,
      });
      return Errors.map(({ Key: key = "", Code = "", Message = "" }) => ({ key, reason: `${Code}: ${Message}` }));
    },
    close: async () => client.destroy(),
  };
}
