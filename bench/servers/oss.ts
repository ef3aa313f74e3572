/** The OSS of `packages/local-alicloud` in a process of its own, with its objects in memory. */
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type OSS from "ali-oss";
import pLimit from "p-limit";
import { ossAgent, ossClient } from "../../local/oss-client";
import { inControlPrefix } from "../../runtime/protocol/control";
import { bytesOf, digestOf } from "../objects";
import { startChild, stopChild } from "./child";
import type { BucketAccess, RequestCounts, StoreServer } from "./store-server";

export interface OssServerOptions {
  folder: string;
  region: string;
  certificate: { certPath: string; keyPath: string };
}

const REQUESTS_AT_ONCE = 8;

export async function startOss({ folder, region, certificate }: OssServerOptions): Promise<StoreServer> {
  const credentials = { accessKeyId: `LTAI${region}`, secretAccessKey: `secret-of-${region}` };
  const { certPath, keyPath } = certificate;
  const dataDir = join(folder, "oss");
  await mkdir(dataDir, { recursive: true });
  const { child, hello } = await startChild<string>(join(__dirname, "oss-process.ts"), [
    ...[dataDir, region, certPath, keyPath, credentials.accessKeyId, credentials.secretAccessKey],
  ]);
  const { port } = new URL(hello);
  const endpoint = `https://127.0.0.1:${port}`;
  const agent = ossAgent(certPath);
  // ali-oss takes an address for a domain of the user, so it gets the name.
  const client = (bucket?: string): OSS =>
    ossClient({
      endpoint: `https://localhost:${port}`,
      region,
      ...(bucket === undefined ? {} : { bucket }),
      caPath: certPath,
      credentials,
      agent,
    });
  const access = (bucket: string): BucketAccess => ({ kind: "oss", bucket, region, endpoint, credentials });
  return {
    access,
    createBucket: async (name) => void (await client().putBucket(name)),
    async removeBucket(name) {
      const bucket = client(name);
      const keys = await keysIn(bucket);
      const limit = pLimit(REQUESTS_AT_ONCE);
      await Promise.all(keys.map((key) => limit(() => bucket.delete(key))));
      await client().deleteBucket(name);
    },
    async upload(name, objects) {
      const bucket = client(name);
      const limit = pLimit(REQUESTS_AT_ONCE);
      await Promise.all(objects.map((object) => limit(() => bucket.put(object.key, bytesOf(object)))));
    },
    async digests(name) {
      const bucket = client(name);
      const keys = (await keysIn(bucket)).filter((key) => !inControlPrefix(key));
      const limit = pLimit(REQUESTS_AT_ONCE);
      const read = async (key: string) => [key, await digestOf([(await bucket.get(key)).content])] as const;
      return new Map(await Promise.all(keys.map((key) => limit(() => read(key)))));
    },
    async countRequests() {
      const answer = once(child, "message");
      child.send({});
      return (await answer)[0] as RequestCounts;
    },
    async stop() {
      agent.destroy();
      await stopChild(child);
    },
  };
}

async function keysIn(bucket: OSS): Promise<string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const page = await bucket.listV2({ "max-keys": "1000", ...(token === undefined ? {} : { "continuation-token": token }) }, {});
    for (const { name } of page.objects ?? []) keys.push(name);
    token = page.nextContinuationToken as string | undefined;
  } while (token);
  return keys;
}
