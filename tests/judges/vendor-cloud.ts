/** A local Alibaba Cloud that clients reach by the vendor's host names. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocalAlicloud } from "local-alicloud";
import { writeCertificate } from "../../local/aws/certificate";

export const REGION = "cn-hangzhou";
/** Replication needs a second one. */
const REGIONS = [REGION, "cn-beijing", "cn-shanghai", "ap-south-1"];
export const ENDPOINT = `oss-${REGION}.aliyuncs.com`;
const ACCOUNT_ID = "1234567890123456";
const ROLE_NAME = "judged";

export interface VendorCloud {
  accountId: string;
  accessKeyId: string;
  accessKeySecret: string;
  /** A role that the account's root may assume and that may do everything with OSS. */
  roleArn: string;
  /** PEM. Valid for the vendor's host names, `localhost` and 127.0.0.1. */
  caPath: string;
  /** The port by the vendor's host name; it answers http and https. Names of buckets stand before the host name. */
  ports: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

export interface VendorCloudOptions {
  /** New buckets block public access, which is the default of OSS. Most suites are older than it. @default false */
  blocksPublicAccess?: boolean | undefined;
}

/** Each one has its own account, so that suites that clean up all their buckets can run side by side. */
export async function startVendorCloud({ blocksPublicAccess = false }: VendorCloudOptions = {}): Promise<VendorCloud> {
  const folder = await mkdtemp(join(tmpdir(), "judged-"));
  const certificate = await writeCertificate(folder, { hosts: HOSTS, now: new Date(), days: 2 });
  const rootKey = { accessKeyId: "LTAIjudged", accessKeySecret: "the-secret-of-the-judges" };
  const cloud = await startLocalAlicloud({
    regions: REGIONS,
    accountId: ACCOUNT_ID,
    rootKey,
    certificate,
    runDir: join(folder, "run"),
    newBucketsBlockPublicAccess: blocksPublicAccess,
  });
  const { arn } = cloud.ram.createRole({ roleName: ROLE_NAME, assumeRolePolicyDocument: TRUSTS_ACCOUNT });
  cloud.ram.createPolicy({ policyName: ROLE_NAME, policyDocument: ALL_OF_OSS });
  cloud.ram.attachPolicyToRole(ROLE_NAME, ROLE_NAME);
  const ports = Object.entries(cloud.endpoints).map(([host, origin]) => [host, Number(new URL(origin).port)]);
  return {
    accountId: ACCOUNT_ID,
    ...rootKey,
    roleArn: arn,
    caPath: certificate.certPath,
    ports: Object.fromEntries(ports),
    async stop() {
      await cloud.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const TRUSTS_ACCOUNT = JSON.stringify({
  Version: "1",
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { RAM: [`acs:ram::${ACCOUNT_ID}:root`] } }],
});
const ALL_OF_OSS = JSON.stringify({ Version: "1", Statement: [{ Effect: "Allow", Action: "oss:*", Resource: "*" }] });

/** Valid for the vendor's host names, those of buckets, `localhost` and 127.0.0.1. */
const HOSTS = (() => {
  const ofRegions = REGIONS.flatMap((region) => [`oss-${region}.aliyuncs.com`, `oss-${region}-internal.aliyuncs.com`]);
  const hosts = [...ofRegions, "oss-accelerate.aliyuncs.com"];
  return ["localhost", "sts.aliyuncs.com", ...hosts, ...hosts.map((host) => `*.${host}`)];
})();
