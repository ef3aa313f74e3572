import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type OSS from "ali-oss";
import { createSettingRecords, type LocalOss, startLocalOss } from "local-alicloud";
import { ensureCertificate } from "../../../../local/aws/certificate";
import { ossClient } from "../../../../local/oss-client";
import type { AlicloudServices } from "../../../../local/provider/alicloud/context";
import { serveAlicloudProvider } from "../../../../local/provider/alicloud-provider";
import {
  ACCOUNT,
  type FakeFunctionCompute,
  fakeFlows,
  fakeFunctionCompute,
  fakeMessages,
  fakeRam,
  fakeSecrets,
} from "./fake-services";
import { LifecycleClient } from "./lifecycle-client";

export const REGION = "cn-shanghai";
export const OTHER_REGION = "us-west-1";

export interface AlicloudFixture {
  services: AlicloudServices & { fc: FakeFunctionCompute };
  /** A provider that is configured for the region. */
  provider(region?: string): Promise<LifecycleClient>;
  /** ali-oss as the account's root, for one bucket. */
  bucket(name: string, region?: string): OSS;
  port: number;
  stop(): Promise<void>;
}

/** The provider over gRPC on the local OSS. The other services are fakes in memory. */
export async function startFixture(): Promise<AlicloudFixture> {
  const dataDir = await mkdtemp(join(tmpdir(), "alicloud-provider-"));
  const tls = await ensureCertificate(join(dataDir, "state"));
  const ram = fakeRam();
  const regions = [REGION, OTHER_REGION];
  const failures: unknown[] = [];
  const oss: LocalOss = await startLocalOss({
    regions,
    dataDir,
    tls,
    credentials: ram,
    authorize: ram.authorize,
    onFailure: (error) => failures.push(error),
  });
  const services = {
    accountId: ACCOUNT,
    regions,
    ram,
    fc: fakeFunctionCompute(),
    flow: fakeFlows(),
    messages: fakeMessages(),
    secrets: fakeSecrets(),
    oss,
    caPath: oss.caPath,
    records: createSettingRecords(),
  };
  const served = await serveAlicloudProvider({ cloud: services });
  const clients: LifecycleClient[] = [];
  return {
    services,
    port: served.port,
    provider: async (region = REGION) => {
      const client = new LifecycleClient(served.port);
      clients.push(client);
      await client.configure({ region });
      return client;
    },
    bucket: (bucket, region = REGION) => {
      const { accessKeyId, accessKeySecret: secretAccessKey } = ram.root;
      const endpoint = oss.endpoints[region]?.public ?? "";
      return ossClient({ endpoint, region, bucket, caPath: oss.caPath, credentials: { accessKeyId, secretAccessKey } });
    },
    stop: async () => {
      for (const client of clients) client.close();
      await served.close();
      await oss.stop();
      await rm(dataDir, { recursive: true });
      // A response of 500 is a bug of the server.
      expect(failures).toEqual([]);
    },
  };
}
