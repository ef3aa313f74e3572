/** A local OSS that verifies signatures, for the adapter's tests. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OSS from "ali-oss";
import { type Credential, type LocalOss, type LocalOssOptions, startLocalOss } from "local-alicloud";
import { ensureCertificate } from "../../../../local/aws/certificate";

export const SHANGHAI = "cn-shanghai";
const ACCOUNT = "1234567890123456";
export const ROOT = { accessKeyId: "LTAIROOT", accessKeySecret: "root-secret" };
export const STS = { accessKeyId: "STS.TEMPORARY", accessKeySecret: "temporary-secret", stsToken: "token-of/STS+==" };
/** STS credentials that ended an hour ago. */
export const EXPIRED = { accessKeyId: "STS.EXPIRED", accessKeySecret: "expired-secret", stsToken: "expired-token" };

const session = ({ accessKeySecret: secret, stsToken: sessionToken }: typeof STS, expiresInMs: number): Credential => ({
  secret,
  principal: { accountId: ACCOUNT, arn: `acs:ram::${ACCOUNT}:assumed-role/worker/session` },
  sessionToken,
  expiresAt: Date.now() + expiresInMs,
});

const CREDENTIALS: Record<string, Credential> = {
  [ROOT.accessKeyId]: { secret: ROOT.accessKeySecret, principal: { accountId: ACCOUNT, arn: `acs:ram::${ACCOUNT}:root` } },
  [STS.accessKeyId]: session(STS, 3_600_000),
  [EXPIRED.accessKeyId]: session(EXPIRED, -3_600_000),
};

export interface OssFixture {
  oss: LocalOss;
  ca: Buffer;
  /** ali-oss with the root's credentials. */
  client(options?: Partial<OSS.Options>): OSS;
  /** Makes a bucket. */
  bucket(name: string): Promise<OSS>;
  stop(): Promise<void>;
}

export async function startFixture(
  options: Pick<LocalOssOptions, "now" | "restoreMs" | "blockMainlandPublicData"> = {},
): Promise<OssFixture> {
  const dataDir = await mkdtemp(join(tmpdir(), "local-oss-"));
  const tls = await ensureCertificate(join(dataDir, "state"));
  const ca = readFileSync(tls.certPath);
  const agent = new Agent({ ca, keepAlive: true });
  const failures: unknown[] = [];
  const oss = await startLocalOss({
    regions: [SHANGHAI, "us-west-1"],
    dataDir,
    tls,
    credentials: { find: (accessKeyId) => CREDENTIALS[accessKeyId] },
    authorize: () => "allow",
    onFailure: (error) => failures.push(error),
    ...options,
  });
  const client = (options: Partial<OSS.Options> = {}) =>
    new OSS({
      ...ROOT,
      authorizationV4: true,
      region: `oss-${SHANGHAI}`,
      endpoint: oss.endpoints[SHANGHAI]?.public ?? "",
      // Path style, because only localhost and 127.0.0.1 resolve to this server.
      sldEnable: true,
      httpsAgent: agent,
      // ali-oss warns without it.
      refreshSTSTokenInterval: 86_400_000,
      ...options,
    } as OSS.Options);
  return {
    oss,
    ca,
    client,
    bucket: async (name) => {
      const made = client({ bucket: name });
      await made.putBucket(name);
      return made;
    },
    stop: async () => {
      agent.destroy();
      await oss.stop();
      await rm(dataDir, { recursive: true });
      // A 500 is a fault of the local server.
      expect(failures).toEqual([]);
    },
  };
}
