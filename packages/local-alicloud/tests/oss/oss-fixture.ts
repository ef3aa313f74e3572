import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OSS from "ali-oss";
import { ensureCertificate } from "../../src/certificate";
import type { Credential, OssEvent, RequestRecord } from "../../src/oss/contracts";
import { type LocalOss, type LocalOssOptions, startLocalOss } from "../../src/oss/local-oss";

export const SHANGHAI = "cn-shanghai";
export const SILICON_VALLEY = "us-west-1";

export const ACCOUNT = "1234567890123456";
export const ROOT = { accessKeyId: "LTAIROOT", accessKeySecret: "root-secret" };
export const STS = { accessKeyId: "STS.TEMPORARY", accessKeySecret: "temporary-secret", stsToken: "token-of/STS+==" };
/** STS credentials that ended an hour ago. */
export const EXPIRED = { accessKeyId: "STS.EXPIRED", accessKeySecret: "expired-secret", stsToken: "expired-token" };
/** A user without permissions. */
export const NOBODY = { accessKeyId: "LTAINOBODY", accessKeySecret: "nobody-secret" };
/** The root of another account. */
export const STRANGER = { accessKeyId: "LTAISTRANGER", accessKeySecret: "stranger-secret" };

const root = (accountId: string) => ({ accountId, arn: `acs:ram::${accountId}:root` });

const CREDENTIALS: Record<string, Credential> = {
  [ROOT.accessKeyId]: { secret: ROOT.accessKeySecret, principal: root(ACCOUNT) },
  [STRANGER.accessKeyId]: { secret: STRANGER.accessKeySecret, principal: root("9999999999999999") },
  [NOBODY.accessKeyId]: {
    secret: NOBODY.accessKeySecret,
    principal: { accountId: ACCOUNT, arn: `acs:ram::${ACCOUNT}:user/nobody` },
  },
  [STS.accessKeyId]: {
    secret: STS.accessKeySecret,
    principal: { accountId: ACCOUNT, arn: `acs:ram::${ACCOUNT}:assumed-role/worker/session` },
    sessionToken: STS.stsToken,
    expiresAt: Date.now() + 3_600_000,
  },
  [EXPIRED.accessKeyId]: {
    secret: EXPIRED.accessKeySecret,
    principal: { accountId: ACCOUNT, arn: `acs:ram::${ACCOUNT}:assumed-role/worker/session` },
    sessionToken: EXPIRED.stsToken,
    expiresAt: Date.now() - 3_600_000,
  },
};

interface Answer {
  res: { status: number; headers: Record<string, string> };
}

interface Tagged extends Answer {
  tag: Record<string, string>;
}

export interface ListedVersions extends Answer {
  objects: { name: string; versionId: string; isLatest: boolean }[];
  deleteMarker: { versionId: string }[];
  prefixes: string[];
  isTruncated: boolean;
  nextKeyMarker: string;
  nextVersionIdMarker: string;
}

/** Methods of ali-oss that its types lack. */
interface Untyped {
  putBucketVersioning(bucket: string, status: "Enabled" | "Suspended"): Promise<Answer>;
  getBucketVersioning(bucket: string): Promise<Answer & { versionStatus: string | undefined }>;
  getBucketVersions(query: object): Promise<ListedVersions>;
  getObjectMeta(key: string): Promise<Answer>;
  putObjectTagging(key: string, tags: Record<string, string>, options?: object): Promise<Answer>;
  getObjectTagging(key: string, options?: object): Promise<Tagged>;
  deleteObjectTagging(key: string): Promise<Answer>;
  uploadPartCopy(key: string, uploadId: string, part: number, range: string, source: object): Promise<Answer & { etag: string }>;
  listParts(key: string, uploadId: string, query: object): Promise<Answer & { parts: object[]; isTruncated: string }>;
  multipartUploadCopy(key: string, source: object, options: object): Promise<Answer>;
  putBucketPolicy(bucket: string, policy: object): Promise<Answer>;
  getBucketPolicy(bucket: string): Promise<Answer & { policy: object | null }>;
  deleteBucketPolicy(bucket: string): Promise<Answer>;
  putBucketEncryption(bucket: string, options: object): Promise<Answer>;
  getBucketEncryption(bucket: string): Promise<Answer & { encryption: object }>;
  deleteBucketEncryption(bucket: string): Promise<Answer>;
  putBucketTags(bucket: string, tags: Record<string, string>): Promise<Answer>;
  getBucketTags(bucket: string): Promise<Tagged>;
  _uploadPart(key: string, uploadId: string, part: number, data: object): Promise<Answer & { etag: string }>;
  signatureUrlV4(method: string, expires: number, request: object, key: string, additionalHeaders?: string[]): Promise<string>;
}

export type Client = Omit<OSS, keyof Untyped> & Untyped;

export interface OssFixture {
  oss: LocalOss;
  dataDir: string;
  events: OssEvent[];
  requests: RequestRecord[];
  ca: Buffer;
  /** ali-oss. @default signature V4 and the root's credentials */
  client(options?: Partial<OSS.Options> & { kind?: "public" | "internal" | "accelerate" }): Client;
  /** Creates a bucket. */
  bucket(name: string, region?: string): Promise<Client>;
  /** Stops the server and starts it on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startFixture(options: Partial<LocalOssOptions> = {}): Promise<OssFixture> {
  const dataDir = await mkdtemp(join(tmpdir(), "local-oss-"));
  const tls = await ensureCertificate(join(dataDir, "state"));
  const ca = readFileSync(tls.certPath);
  const agent = new Agent({ ca, keepAlive: true });
  const events: OssEvent[] = [];
  const requests: RequestRecord[] = [];
  const failures: unknown[] = [];
  const start = () =>
    startLocalOss({
      regions: [SHANGHAI, SILICON_VALLEY],
      dataDir,
      tls,
      credentials: { find: (accessKeyId) => CREDENTIALS[accessKeyId] },
      authorize: (principal) => (/:root$|:assumed-role\/worker\//.test(principal.arn) ? "allow" : "none"),
      onEvent: (event) => events.push(event),
      onRequest: (record) => requests.push(record),
      onFailure: (error) => failures.push(error),
      ...options,
    });
  const fixture: OssFixture = {
    oss: await start(),
    dataDir,
    events,
    requests,
    ca,
    client: ({ kind = "public", region = `oss-${SHANGHAI}`, ...more } = {}) =>
      new OSS({
        ...ROOT,
        authorizationV4: true,
        region,
        endpoint: fixture.oss.endpoints[region.replace(/^oss-/, "")]?.[kind] ?? "",
        // Path style: only localhost and 127.0.0.1 lead here, and with an IP address ali-oss requires OSS's own certificate.
        sldEnable: true,
        httpsAgent: agent,
        // Without it ali-oss prints advice about tokens.
        refreshSTSTokenInterval: 86_400_000,
        ...more,
      } as OSS.Options) as unknown as Client,
    bucket: async (name, region = SHANGHAI) => {
      const client = fixture.client({ region: `oss-${region}`, bucket: name });
      await client.putBucket(name);
      return client;
    },
    restart: async () => {
      await fixture.oss.stop();
      fixture.oss = await start();
    },
    stop: async () => {
      agent.destroy();
      await fixture.oss.stop();
      await rm(dataDir, { recursive: true });
      // An answer of 500 is a bug of the server, whatever the test expected.
      expect(failures).toEqual([]);
    },
  };
  return fixture;
}

/** Status and code of a refused call of ali-oss. */
export async function refusal(call: Promise<unknown>): Promise<{ status: number; code: string }> {
  try {
    await call;
  } catch (error) {
    const { status, code } = error as { status: number; code: string };
    if (status < 0) throw error;
    return { status, code };
  }
  throw new Error("the call was not refused");
}
