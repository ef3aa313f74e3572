/**
 * OSS in a process of its own that a test can kill. Arguments: data folder, folder of the certificate, and `refuse` when no role may
 * replicate.
 */

import { ensureCertificate } from "../../src/certificate";
import { startLocalOss } from "../../src/oss/local-oss";

async function main(dataDir: string, stateDir: string, roles?: string): Promise<void> {
  const { endpoints } = await startLocalOss({
    regions: ["cn-shanghai"],
    dataDir,
    tls: await ensureCertificate(stateDir),
    credentials: {
      find: () => ({
        secret: "root-secret",
        principal: { accountId: "1234567890123456", arn: "acs:ram::1234567890123456:root" },
      }),
    },
    ...(roles === "refuse" ? { assumeRole: () => undefined } : {}),
  });
  process.send?.(endpoints["cn-shanghai"]?.public);
}

const [, , dataDir = "", stateDir = "", roles] = process.argv;
void main(dataDir, stateDir, roles);
