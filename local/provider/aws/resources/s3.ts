import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListObjectVersionsCommand,
  PutBucketTaggingCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { clientsOf, resource, unlessMissing } from "../context";
import { bucketOutputs } from "../endpoints";
import { tagList, tagsAllOf } from "../tags";

export const bucket = resource({
  token: "aws:s3/bucket:Bucket",
  inputs: { bucket: "string", forceDestroy: "boolean", objectLockEnabled: "boolean", tags: "map" },
  computed: ["arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName", "hostedZoneId"],
  defaults: { forceDestroy: false, objectLockEnabled: false, requestPayer: "BucketOwner" },
  autoname: { property: "bucket", maxLength: 63 },
  replaceOn: ["bucket", "objectLockEnabled", "region"],
  check: function* ({ bucket = "" }) {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
      yield { property: "bucket", reason: `"${bucket}" is not a bucket name: 3 to 63 of a-z, 0-9, dot and hyphen` };
    }
  },
  create: async (context, { bucket = "", objectLockEnabled, ...rest }) => {
    const { s3 } = clientsOf(context);
    // us-east-1 answers success when the owner creates a bucket again. Pulumi would then manage a bucket that it did not create.
    if ((await unlessMissing(s3.send(new HeadBucketCommand({ Bucket: bucket })))) !== undefined) {
      throw new Error(`the bucket ${bucket} is there already: adopt it or choose another name`);
    }
    const LocationConstraint = context.region as BucketLocationConstraint;
    await s3.send(
      new CreateBucketCommand({
        Bucket: bucket,
        ObjectLockEnabledForBucket: objectLockEnabled,
        ...(context.region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint } }),
      }),
    );
    await putTags(s3, bucket, tagsAllOf(rest));
    return bucket;
  },
  read: async (context, id) => {
    const found = await unlessMissing(clientsOf(context).s3.send(new GetBucketLocationCommand({ Bucket: id })));
    return found === undefined ? undefined : { ...bucketOutputs(context, id), hostedZoneId: "Z3AQBSTGFYJSTF" };
  },
  update: async (context, id, news) => putTags(clientsOf(context).s3, id, tagsAllOf(news)),
  delete: async (context, id, { forceDestroy }) => {
    const { s3 } = clientsOf(context);
    if (forceDestroy) await empty(s3, id);
    await unlessMissing(s3.send(new DeleteBucketCommand({ Bucket: id })));
  },
});

async function putTags(s3: S3Client, bucket: string, tags: Record<string, string>): Promise<void> {
  await s3.send(new PutBucketTaggingCommand({ Bucket: bucket, Tagging: { TagSet: tagList(tags) } }));
}

async function empty(s3: S3Client, bucket: string): Promise<void> {
  for (;;) {
    const page = await unlessMissing(s3.send(new ListObjectVersionsCommand({ Bucket: bucket })));
    const found = [...(page?.Versions ?? []), ...(page?.DeleteMarkers ?? [])];
    if (found.length === 0) return;
    const Objects = found.map(({ Key, VersionId }) => ({ Key: Key ?? "", VersionId }));
    const answer = await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
    const [failed] = answer.Errors ?? [];
    if (failed !== undefined) throw new Error(`could not delete ${failed.Key} from ${bucket}: ${failed.Code} ${failed.Message}`);
  }
}
