/**
 * An OSS in a process of its own, for a test to kill: arguments are its data folder and the certificate's, and `refuse` where no
 * role may replicate anything.
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
