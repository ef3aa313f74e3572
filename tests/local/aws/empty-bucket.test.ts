/** The operator's `empty` on S3, against the emulator. */
import { readFileSync } from "node:fs";
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { clientConfig } from "../../../local/aws/client-config";
import { type LocalAws, startLocalAws } from "../../../local/aws/local-aws";
import { openS3Contents } from "../../../operator/clouds/s3-contents";

let local: LocalAws;
let s3: S3Client;
beforeAll(async () => {
  local = await startLocalAws();
  s3 = new S3Client(clientConfig(local.aws));
}, 300_000);
afterAll(async () => {
  s3.destroy();
  await local.stop();
});

const { signal } = new AbortController();
const KEYS = ["plain", "a b+c", "<&>ü%41", "字"];

test.each([true, false])(
  "every version and every unfinished upload goes; a bucket that keeps versions: %s",
  async (versioned) => {
    const Bucket = `to-empty-${versioned}`;
    await s3.send(new CreateBucketCommand({ Bucket }));
    if (versioned) await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    for (const Key of KEYS) {
      for (const Body of ["1", "2"]) await s3.send(new PutObjectCommand({ Bucket, Key, Body }));
      await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    }
    if (versioned) await s3.send(new DeleteObjectCommand({ Bucket, Key: "plain" }));
    const { endpoint, region, credentials, caPath } = local.aws;
    const contents = openS3Contents({ cloud: "aws", endpoint, region, credentials, ca: readFileSync(caPath, "utf8") }, Bucket);
    try {
      const uploads = await contents.uploads(signal);
      expect(uploads.map(({ key }) => key).sort()).toEqual([...KEYS].sort());
      for (const upload of uploads) await contents.abort(upload, signal);
      expect(await contents.uploads(signal)).toEqual([]);
      const versions = await contents.versions(signal);
      expect(versions).toHaveLength(versioned ? 2 * KEYS.length + 1 : KEYS.length);
      expect(await contents.remove(versions, signal)).toEqual([]);
      expect(await contents.versions(signal)).toEqual([]);
    } finally {
      await contents.close();
    }
    await s3.send(new DeleteBucketCommand({ Bucket }));
  },
);
