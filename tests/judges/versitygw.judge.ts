/** The store's contract against Versity's S3 gateway, an S3 that nobody here wrote. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { parse } from "yaml";
import type { StoreServer } from "../../bench/servers/store-server";
import { startVersitygw } from "../../bench/servers/versitygw";
import { ensurePinned } from "../../bench/tools";
import { ensureCertificate } from "../../local/aws/certificate";
import { DEFAULT_STATE_DIR } from "../../local/paths";
import { readAll } from "../../runtime/stores/read-all";
import { createS3Store, S3_CAPABILITIES } from "../../runtime/stores/s3/store";
import { objectStoreConformance } from "../conformance/object-store-conformance";

const REGION = "us-east-1";
const MAX_ANSWER_BYTES = 1024 ** 2;

/** What the gateway does otherwise than S3: a sentence by the check's id. */
type Gaps = Record<"both" | "unversioned" | "versioned" | "racing", Record<string, string>>;
const GAPS = parse(readFileSync(join(__dirname, "versitygw-gaps.yaml"), "utf8")) as Gaps;

let folder: string;
let server: StoreServer;
beforeAll(async () => {
  const { path } = await ensurePinned("versitygw", () => undefined);
  folder = await mkdtemp(join(tmpdir(), "judge-"));
  server = await startVersitygw({
    program: path,
    folder,
    region: REGION,
    certificate: await ensureCertificate(DEFAULT_STATE_DIR),
    tls: false,
    integrityEtags: false,
    logsRequests: false,
    keepsVersions: true,
  });
}, 30 * 60_000);
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** `fetch` would normalise `.` and `..` in the path. */
function getRaw(url: string, headers: Record<string, string>): Promise<{ status: number; body: Buffer }> {
  const [, host = "", port = "", path = ""] = /^http:\/\/([^:/]+):(\d+)(\/.*)$/.exec(url) ?? [];
  return new Promise((resolve, reject) => {
    request({ host, port, path, headers }, (response) => {
      readAll(response, MAX_ANSWER_BYTES).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    })
      .on("error", reject)
      .end();
  });
}

for (const bucket of ["unversioned", "versioned"] as const)
  objectStoreConformance({
    name: `S3 on versitygw, ${bucket}`,
    capabilities: S3_CAPABILITIES,
    versioned: bucket === "versioned",
    knownGaps: { ...GAPS.both, ...GAPS[bucket] },
    racingGaps: GAPS.racing,
    make: async () => {
      await server.createBucket(bucket);
      const { endpoint, credentials } = server.access(bucket);
      if (bucket === "versioned") {
        const client = new S3Client({ endpoint, region: REGION, credentials, forcePathStyle: true });
        const VersioningConfiguration = { Status: "Enabled" } as const;
        await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
        client.destroy();
      }
      return {
        store: createS3Store({ bucket, endpoint, region: REGION, credentials: () => credentials }),
        fetch: getRaw,
        // The gateway has a clock of its own.
        elapse: (ms) => sleep(ms),
      };
    },
  });
