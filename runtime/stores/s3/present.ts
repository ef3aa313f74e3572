/** An object as it is, in the fields that write it once more. */
import { type CopyObjectCommandInput, HeadObjectCommand, type HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import type { Checksum } from "../../protocol/snapshot";
import { BridgeError } from "../errors";
import type { CallOptions } from "../object-store";
import { httpOptions, type Placement, type S3Calls } from "./calls";
import { attributeFields, parseHead, partChecksum } from "./metadata";

type KeptFields = Pick<
  CopyObjectCommandInput,
  | keyof ReturnType<typeof attributeFields>
  | "StorageClass"
  | "WebsiteRedirectLocation"
  | "ServerSideEncryption"
  | "SSEKMSKeyId"
  | "BucketKeyEnabled"
>;

export interface S3Present {
  etag: string;
  versionId: string | undefined;
  sizeBytes: number;
  lastModified: Date;
  /** All that the new object is written with, besides its tags. */
  fields: KeptFields;
  /** To the letter, as the SDK would write it in its own form. */
  expires: string | undefined;
  /** Of the whole object or over its parts, as `checksumType` says. */
  checksum: Checksum | undefined;
  checksumType: HeadObjectCommandOutput["ChecksumType"];
}

/** @throws BridgeError `Unsupported` when S3 does not tell all of its metadata: writing the rest would lose some. */
export async function lookAt(
  op: string,
  calls: S3Calls,
  key: string,
  options: CallOptions,
  versionId?: string,
): Promise<S3Present> {
  const command = new HeadObjectCommand({
    ...calls.target(op, key),
    ...(versionId !== undefined && { VersionId: versionId }),
    ChecksumMode: "ENABLED",
  });
  const output = await calls.run(op, options, () => calls.client.send(command, httpOptions(options)));
  if ((output.MissingMeta ?? 0) > 0)
    throw new BridgeError("Unsupported", op, `${output.MissingMeta} metadata entries of the object are no HTTP headers`);
  const { headers, metadata, etag, sizeBytes, lastModified, ...head } = parseHead(output, output.ContentLength);
  return {
    etag,
    versionId: head.versionId,
    sizeBytes,
    lastModified,
    fields: {
      ...attributeFields({ headers, metadata, tags: {} }),
      ...encryptionFields(output, calls.placement),
      // Absent means STANDARD, in the answer and in a request.
      StorageClass: output.StorageClass,
      WebsiteRedirectLocation: output.WebsiteRedirectLocation,
    },
    expires: headers.expires,
    checksum: partChecksum(output),
    checksumType: output.ChecksumType,
  };
}

function encryptionFields(
  { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled }: HeadObjectCommandOutput,
  placement: Placement,
): Partial<KeptFields> {
  if (placement.SSEKMSKeyId === undefined) return { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled };
  return { ServerSideEncryption: placement.ServerSideEncryption, SSEKMSKeyId: placement.SSEKMSKeyId };
}
