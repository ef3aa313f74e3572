/**
 * Records the scenes of the stores on the local clouds into tests/fixtures/live. Recordings of a real cloud stay: `--all` replaces them too.
 * `npm run verify-live -- accept <folder>` takes those of a real cloud.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import type { Dispatcher } from "undici";
import { clientConfig } from "../local/aws/client-config";
import { type LocalClouds, startLocalClouds } from "../local/local-clouds";
import { ossClient } from "../local/oss-client";
import { createAgent } from "../runtime/http/agent";
import { createOssStore } from "../runtime/stores/oss/store";
import { createS3Store } from "../runtime/stores/s3/store";
import {
  FIXTURES_DIR,
  fixtureName,
  fixtureText,
  readFixtures,
  recordScene,
  type SceneRecording,
} from "../verify-live/recording/fixtures";
import { SCENES } from "../verify-live/recording/scenes";

const BUCKET = "recorded-scenes";
const OSS_REGION = "us-west-1";

async function main(): Promise<void> {
  const replaceAll = process.argv.includes("--all");
  await mkdir(FIXTURES_DIR, { recursive: true });
  const kept = new Set(
    [...(await readFixtures(FIXTURES_DIR))].flatMap(([name, { vendor }]) => (vendor && !replaceAll ? name : [])),
  );
  const clouds = await startLocalClouds({ clouds: ["aws", "alicloud"] });
  const dispatcher = createAgent({ ca: await caOf(clouds) });
  try {
    for (const recording of [await s3Recording(clouds, dispatcher), await ossRecording(clouds, dispatcher)])
      for (const scene of SCENES) {
        const fixture = await recordScene(scene, recording);
        const name = fixtureName(fixture);
        if (!kept.has(name)) await writeFile(join(FIXTURES_DIR, name), fixtureText(fixture));
        console.log(`${name}: ${kept.has(name) ? "kept, it is of a real cloud" : `${fixture.exchanges.length} requests`}`);
      }
  } finally {
    await dispatcher.destroy();
    await clouds.stop();
  }
}

const caOf = ({ caPath }: LocalClouds): Promise<string> => readFile(caPath, "utf8");

const COMMON = {
  recordedFrom: "local emulator",
  recordedOn: new Date().toISOString().slice(0, 10),
  vendor: false,
  bucket: BUCKET,
  prefix: "recording/",
};

async function s3Recording({ aws }: LocalClouds, dispatcher: Dispatcher): Promise<SceneRecording> {
  const { endpoint, region, credentials } = aws;
  const client = new S3Client(clientConfig(aws));
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await client.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }));
  client.destroy();
  return {
    ...COMMON,
    ...{ family: "s3", versioned: true, dispatcher },
    open: (recorder) => createS3Store({ bucket: BUCKET, region, endpoint, credentials: () => credentials, dispatcher: recorder }),
    known: secrets(credentials.accessKeyId, credentials.secretAccessKey),
  };
}

async function ossRecording({ alicloud, caPath }: LocalClouds, dispatcher: Dispatcher): Promise<SceneRecording> {
  const { accessKeyId, accessKeySecret } = alicloud.ram.root;
  const endpoint = alicloud.endpointsOf(OSS_REGION).oss.public;
  const credentials = { accessKeyId, secretAccessKey: accessKeySecret };
  await ossClient({ endpoint, region: OSS_REGION, caPath, credentials }).putBucket(BUCKET);
  const open = (recorder: Dispatcher) =>
    createOssStore({
      ...{ bucket: BUCKET, region: OSS_REGION, endpoint, versioned: false, dispatcher: recorder },
      credentials: async () => ({ accessKeyId, accessKeySecret }),
    });
  return { ...COMMON, family: "oss", versioned: false, dispatcher, open, known: secrets(accessKeyId, accessKeySecret) };
}

const secrets = (accessKey: string, secret: string) => [
  { value: accessKey, as: "access-key" },
  { value: secret, as: "secret-key" },
];

void main();
