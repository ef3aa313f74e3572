import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type OSS from "ali-oss";
import { type LocalAlicloud, startLocalAlicloud } from "local-alicloud";
import { ensureCertificate } from "../../../../local/aws/certificate";
import { alicloudAccount } from "../../../../local/local-clouds";
import { ossClient } from "../../../../local/oss-client";
import { serveAlicloudProvider } from "../../../../local/provider/alicloud-provider";
import { LifecycleClient } from "./lifecycle-client";

export const REGION = "cn-shanghai";
export const OTHER_REGION = "us-west-1";
export const ACCOUNT = "3333333333333333";

export interface AlicloudFixture {
  /** To see what the provider made. */
  cloud: LocalAlicloud;
  /** A provider that is configured for the region. */
  provider(region?: string): Promise<LifecycleClient>;
  /** ali-oss as the account's root, for one bucket. */
  bucket(name: string, region?: string): OSS;
  /** What the function answers. */
  invoke(functionName: string): Promise<string>;
  port: number;
  stop(): Promise<void>;
}

/** The provider over gRPC on a local Alibaba Cloud of two regions. */
export async function startFixture(): Promise<AlicloudFixture> {
  const folder = await mkdtemp(join(tmpdir(), "alicloud-provider-"));
  const certificate = await ensureCertificate(join(folder, "state"));
  const cloud = await startLocalAlicloud({ regions: [REGION, OTHER_REGION], certificate, accountId: ACCOUNT });
  const served = await serveAlicloudProvider({ cloud: alicloudAccount(cloud) });
  const clients: LifecycleClient[] = [];
  return {
    cloud,
    port: served.port,
    provider: async (region = REGION) => {
      const client = new LifecycleClient(served.port);
      clients.push(client);
      await client.configure({ region });
      return client;
    },
    bucket: (bucket, region = REGION) => {
      const { accessKeyId, accessKeySecret: secretAccessKey } = cloud.ram.root;
      const endpoint = cloud.endpointsOf(region).oss.public;
      return ossClient({ endpoint, region, bucket, caPath: cloud.caPath, credentials: { accessKeyId, secretAccessKey } });
    },
    invoke: async (functionName) => (await cloud.fc.invoke(REGION, functionName, Buffer.from("{}"))).payload.toString(),
    stop: async () => {
      for (const client of clients) client.close();
      await served.close();
      await cloud.stop();
      await rm(folder, { recursive: true });
    },
  };
}
