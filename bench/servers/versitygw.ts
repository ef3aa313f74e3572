/** Versity's S3 gateway over a folder in memory. */
import { spawn } from "node:child_process";
import { closeSync, createReadStream, openSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join, relative, sep } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pLimit from "p-limit";
import { freePort } from "../../local/free-port";
import { inControlPrefix } from "../../runtime/protocol/control";
import { contentOf, crc64NvmeOf, digestOf, type PlannedObject } from "../objects";
import { CHECKSUM_HEADER, S3Requests } from "./s3-request";
import { addRequest, type BucketAccess, type RequestCounts, type StoreServer } from "./store-server";

export interface VersitygwOptions {
  /** The gateway's program. */
  program: string;
  /** Keeps the buckets across restarts. */
  folder: string;
  region: string;
  certificate: { certPath: string; keyPath: string };
  tls: boolean;
  /** The etag of an object is a checksum that is not its MD5. */
  integrityEtags: boolean;
  /** Writes every request to a file, for `countRequests`. */
  logsRequests: boolean;
  /** Buckets may have versioning. @default false */
  keepsVersions?: boolean | undefined;
}

const UPLOADS_AT_ONCE = 8;
/** The gateway keeps unfinished uploads below this name. */
const TEMPORARY = ".sgwtmp";

export async function startVersitygw(options: VersitygwOptions): Promise<StoreServer> {
  const { folder, region, certificate, tls, integrityEtags, logsRequests } = options;
  const credentials = { accessKeyId: `bench-${region}`, secretAccessKey: `secret-of-${region}` };
  const buckets = join(folder, "buckets");
  const accessLog = join(folder, "access.log");
  const versions = join(folder, "versions");
  await mkdir(buckets, { recursive: true });
  if (options.keepsVersions) await mkdir(versions, { recursive: true });
  const port = await freePort();
  const endpoint = `${tls ? "https" : "http"}://127.0.0.1:${port}`;
  const process = await startProcess(
    options.program,
    [
      ...["--port", `127.0.0.1:${port}`, "--region", region, "--keep-alive", "--quiet"],
      ...(tls ? ["--cert", certificate.certPath, "--key", certificate.keyPath] : []),
      ...(logsRequests ? ["--access-log", accessLog] : []),
      "posix",
      ...(integrityEtags ? ["--data-integrity-etag"] : []),
      ...(options.keepsVersions ? ["--versioning-dir", versions] : []),
      buckets,
    ],
    {
      env: { ROOT_ACCESS_KEY_ID: credentials.accessKeyId, ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey },
      port,
      outputPath: join(folder, "versitygw.log"),
    },
  );
  const requests = new S3Requests(certificate.certPath);
  const access = (bucket: string): BucketAccess => ({ kind: "s3", bucket, region, endpoint, credentials });
  let counted = 0;
  return {
    access,
    createBucket: async (name) => void (await requests.send(access(name), { method: "PUT" })),
    removeBucket: (name) => rm(join(buckets, name), { recursive: true }),
    async upload(bucket, objects) {
      const limit = pLimit(UPLOADS_AT_ONCE);
      await Promise.all(objects.map((object) => limit(() => upload(requests, access(bucket), object))));
    },
    digests: (bucket) => digestsBelow(join(buckets, bucket)),
    async countRequests() {
      if (!logsRequests) throw new Error("this gateway was started without its access log");
      const lines = (await readFile(accessLog, "utf8")).split("\n");
      const fresh = lines.slice(counted);
      counted = lines.length - 1;
      return countLines(fresh);
    },
    async stop() {
      await requests.close();
      await process.stop();
    },
  };
}

/** As in S3, the store keeps the CRC-64/NVME of every object. */
async function upload(requests: S3Requests, access: BucketAccess, object: PlannedObject): Promise<void> {
  const { key, sizeBytes } = object;
  const checksum = await crc64NvmeOf(contentOf(object));
  const headers = {
    [CHECKSUM_HEADER]: checksum,
    "content-length": String(sizeBytes),
    "content-type": "application/octet-stream",
  };
  await requests.send(access, { method: "PUT", key, headers, body: contentOf(object) });
  const { [CHECKSUM_HEADER]: stored } = await requests.send(access, {
    method: "HEAD",
    key,
    headers: { "x-amz-checksum-mode": "ENABLED" },
  });
  if (stored !== checksum) throw new Error(`the source keeps ${stored} as the checksum of ${key}, not ${checksum}`);
}

/** Reads the gateway's files: a read through the gateway would take seconds for a large object. */
async function digestsBelow(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const digests = new Map<string, string>();
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const key = relative(folder, path).split(sep).join("/");
    if (!entry.isFile() || key.startsWith(TEMPORARY) || inControlPrefix(key)) continue;
    digests.set(key, await digestOf(createReadStream(path, { highWaterMark: 1024 ** 2 })));
  }
  return digests;
}

/**
 * @param lines of the access log, whose form is that of S3's server access log
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
 */
export function countLines(lines: readonly string[]): RequestCounts {
  const counts: RequestCounts = {};
  for (const line of lines) {
    // After the time: the address, the requester, the id of the request and the operation.
    const operation = /\] \S+ \S+ \S+ s3_(\w+) /.exec(line)?.[1];
    if (operation !== undefined) addRequest(counts, operation);
  }
  return counts;
}

const START_MS = 20_000;
const LOOK_MS = 50;

async function startProcess(
  program: string,
  args: readonly string[],
  { env, port, outputPath }: { env: Record<string, string>; port: number; outputPath: string },
): Promise<{ stop(): Promise<void> }> {
  const output = openSync(outputPath, "a");
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", output, output],
    // A Ctrl-C reaches this process only; `stop` ends the server after the client.
    detached: true,
  });
  closeSync(output);
  let ended: string | undefined;
  const closed = new Promise<void>((resolve) => {
    child.once("error", ({ message }) => {
      ended = message;
      resolve();
    });
    child.once("close", (code, signal) => {
      ended ??= `it ended with ${code ?? signal}`;
      resolve();
    });
  });
  // A server that outlives a crash of this process would keep its port and its memory.
  const killWithParent = () => child.kill("SIGKILL");
  process.once("exit", killWithParent);
  const stop = async () => {
    process.removeListener("exit", killWithParent);
    child.kill("SIGTERM");
    await closed;
  };
  const endMs = Date.now() + START_MS;
  while (!(await accepts(port))) {
    if (ended !== undefined || Date.now() > endMs) {
      await stop();
      const text = (await readFile(outputPath, "utf8")).slice(-1000);
      throw new Error(`${program} does not listen on port ${port}${ended === undefined ? "" : `: ${ended}`}\n${text}`);
    }
    // The gateway announces nothing that could be awaited.
    await delay(LOOK_MS);
  }
  return { stop };
}

/** Whether something listens on the port. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
