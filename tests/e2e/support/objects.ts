/** Writes and reads objects on either side with the vendor's SDK. */
import { createHash } from "node:crypto";
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  type PutObjectCommandInput,
} from "@aws-sdk/client-s3";
import { withoutProvenance } from "../../../runtime/replication/provenance";
import { eventually } from "./eventually";
import type { TestEnd, TestStack } from "./stack";

export interface SeenObject {
  sizeBytes: number;
  sha256: string;
  headers: Record<string, string | undefined>;
  /** Metadata without the bridge's provenance. */
  metadata: Record<string, string>;
  tags: Record<string, string>;
}

export type Attributes = Omit<PutObjectCommandInput, "Bucket" | "Key" | "Body">;

/** @returns the versionId, if the bucket has versions */
export async function put({ s3, bucket, prefix }: TestEnd, key: string, body: string | Buffer, attributes: Attributes = {}) {
  // The SDK finds no length for an empty string, but it does for an empty Buffer.
  const command = new PutObjectCommand({ Bucket: bucket, Key: prefix + key, Body: Buffer.from(body), ...attributes });
  return (await s3.send(command)).VersionId;
}

/** Deletes an object, or only one version of it. */
export async function remove({ s3, bucket, prefix }: TestEnd, key: string, versionId?: string): Promise<void> {
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: prefix + key, VersionId: versionId }));
}

/** Deletes a bucket with every version in it. */
export async function deleteBucket({ s3, bucket: Bucket }: Pick<TestEnd, "s3" | "bucket">): Promise<void> {
  const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
  for (const { Key, VersionId } of [...Versions, ...DeleteMarkers])
    await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
}

/** Reads an object; undefined if none is visible. `key` is the key at the source, on both sides. */
export async function look({ s3, bucket, prefix }: TestEnd, key: string): Promise<SeenObject | undefined> {
  const target = { Bucket: bucket, Key: prefix + key };
  try {
    const got = await s3.send(new GetObjectCommand(target));
    const body = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
    const { TagSet = [] } = await s3.send(new GetObjectTaggingCommand(target));
    return {
      sizeBytes: body.length,
      sha256: sha256(body),
      headers: {
        contentType: got.ContentType,
        cacheControl: got.CacheControl,
        contentDisposition: got.ContentDisposition,
        contentEncoding: got.ContentEncoding,
        contentLanguage: got.ContentLanguage,
        expires: got.ExpiresString,
      },
      metadata: withoutProvenance(got.Metadata ?? {}),
      tags: Object.fromEntries(TagSet.map(({ Key = "", Value = "" }) => [Key, Value])),
    };
  } catch (error) {
    if (error instanceof NoSuchKey || error instanceof NotFound) return undefined;
    throw error;
  }
}

export async function head({ s3, bucket, prefix }: TestEnd, key: string) {
  return await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: prefix + key, ChecksumMode: "ENABLED" }));
}

/** All visible keys of the bucket, with the bridge's own keys. */
export async function listKeys({ s3, bucket }: TestEnd, prefix = ""): Promise<string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }));
    for (const { Key = "" } of page.Contents ?? []) keys.push(Key);
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return keys;
}

/** Waits until bytes, headers, metadata and tags of the key are equal on both sides, or the key is absent on both. */
export async function converged(
  { source, destination }: TestStack,
  key: string,
  deadlineMs = 30_000,
): Promise<SeenObject | undefined> {
  return await eventually(
    async () => {
      const there = await look(destination, key);
      expect(there).toEqual(await look(source, key));
      return there;
    },
    { deadlineMs, what: `${JSON.stringify(key)} is equal at source and destination` },
  );
}

/** SHA-256 of every version of the key without delete markers, in no order. */
export async function versions({ s3, bucket, prefix }: TestEnd, key: string): Promise<string[]> {
  const Key = prefix + key;
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: Key }));
  const bodies = Versions.filter((version) => version.Key === Key).map(async ({ VersionId }) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key, VersionId }));
    return sha256(Buffer.from((await Body?.transformToByteArray()) ?? []));
  });
  return await Promise.all(bodies);
}

export function sha256(bytes: Buffer | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
