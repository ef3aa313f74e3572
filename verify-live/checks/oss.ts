/** Facts about OSS. The keys are under the bridge's own prefix, so nothing is replicated. */
import { createHash } from "node:crypto";
import { checksumOf } from "../../runtime/stores/checksums";
import { isBridgeError } from "../../runtime/stores/errors";
import { OssClient } from "../../runtime/stores/oss/client";
import { ossEndpoint } from "../../runtime/stores/oss/endpoint";
import { OSS_CAPABILITIES, type OssStore } from "../../runtime/stores/oss/store";
import { refusalCode } from "../../runtime/stores/refusals";
import {
  type CheckContext,
  type Config,
  holds,
  type LiveSide,
  NotShown,
  type SideName,
  type StoreCheck,
  type Subject,
} from "../check";
import { openOssStore } from "../live-side";
import { answerText, request } from "../raw";

const MINUTE_MS = 60_000;
const BYTES = Buffer.from("verified");
const URL_SECONDS = 300;
const FORBIDDEN = "PublicEndpointForbidden";

const put = ({ store }: Pick<LiveSide, "store">, key: string, headers = {}, tags: Record<string, string> = {}) =>
  store.put(key, BYTES, { attributes: { headers, metadata: {}, tags }, sizeBytes: BYTES.length });

/** `succeeded`, or the vendor's code, or the kind of the error. */
async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "succeeded";
  } catch (error) {
    if (isBridgeError(error)) return refusalCode(error) ?? error.kind;
    throw error;
  }
}

/** https://www.alibabacloud.com/help/en/oss/user-guide/regions-and-endpoints */
export const isMainland = (region: string): boolean => region.startsWith("cn-") && region !== "cn-hongkong";

const common = { on: "oss", safeOn: "any-stack", timeoutMs: 5 * MINUTE_MS } as const;

const publicHost: StoreCheck = {
  ...common,
  name: "oss-public-host",
  fact: "The public host of a mainland region serves objects, or refuses with the code PublicEndpointForbidden.",
  why: "Accounts that activated OSS since 2025-03-20 are refused. The way out is a custom domain. Under another code the refusal would not be known.",
  source: "https://www.alibabacloud.com/help/en/oss/user-guide/0048-00000401",
  reliesOn: ["runtime/stores/oss/errors.ts", "components/alicloud/stores.ts", "operator/clouds/alicloud.ts"],
  notFor: (subject, side) =>
    isMainland(subject.config[side].region) ? undefined : "the rule is about regions on the Chinese mainland",
  async run({ keys }, side) {
    const store = side.open({ network: "public" });
    const seen = await outcome(put({ store }, `${keys.still}public-host`));
    holds(seen === "succeeded" || seen === FORBIDDEN, `the public host answered a write with ${seen}`);
    return [
      seen === "succeeded"
        ? "the public host serves this account"
        : "this account needs a custom domain: the public host refuses it",
    ];
  },
};

const ACCELERATED = { global: "accelerate", overseas: "accelerate-overseas" } as const;

const accelerateHost: StoreCheck = {
  ...common,
  name: "oss-accelerate-host",
  fact: "The acceleration host serves writes, and reads by URL, of objects in a mainland bucket, also for accounts that the public host refuses.",
  why: "Push writes through it, and pull signs URLs for it. No page says whether it is exempt from PublicEndpointForbidden.",
  source: "https://www.alibabacloud.com/help/en/oss/user-guide/0048-00000401",
  reliesOn: ["runtime/stores/oss/endpoint.ts", "components/alicloud/stores.ts"],
  notFor({ config }, side) {
    const { acceleration = "none" } = config[side];
    return acceleration === "none" ? "this side has no transfer acceleration" : undefined;
  },
  async run({ config, keys }, side) {
    const { acceleration = "none" } = config[side.name];
    if (acceleration === "none") throw new NotShown("this side has no transfer acceleration");
    const store = side.open({ network: ACCELERATED[acceleration] });
    const key = `${keys.still}accelerated`;
    const written = await outcome(put({ store }, key));
    holds(written === "succeeded", `the acceleration host answered a write with ${written}`);
    const answer = await request(side.dispatcher, await store.presignGet(key, { expiresInSeconds: URL_SECONDS }));
    holds(answer.status === 200, `the acceleration host answered a URL with ${answerText(answer)}`);
    return ["the acceleration host took a write and served a URL"];
  },
};

const packageDownload: StoreCheck = {
  ...common,
  name: "oss-package-download",
  fact: "A URL of an `.apk` file on a host of the vendor's is served, or refused with the code ApkDownloadForbidden; a signature in headers is accepted.",
  why: "Pull reads OSS by URLs, so such keys wait for a custom domain. Under another code they would be parked as malformed.",
  source: "https://www.alibabacloud.com/help/en/oss/user-guide/what-to-do-with-apkdownloadforbidden-reporting-an-error",
  reliesOn: ["runtime/replication/source-reader.ts", "runtime/stores/oss/errors.ts"],
  async run({ keys, signal }, side) {
    const store = side.open({ network: "public" });
    const key = `${keys.still}app.apk`;
    await put(side, key);
    const answer = await request(side.dispatcher, await store.presignGet(key, { expiresInSeconds: URL_SECONDS }));
    if (answer.code === FORBIDDEN)
      throw new NotShown("the public host refuses this account before it looks at the name of the key");
    holds(
      answer.status === 200 || answer.code === "ApkDownloadForbidden",
      `a URL of an .apk was answered with ${answerText(answer)}`,
    );
    const read = async () => (await store.get(key, { signal })).body.destroy();
    const byHeaders = await outcome(read());
    holds(byHeaders === "succeeded", `a read that is signed in headers was answered with ${byHeaders}`);
    return [`by URL: ${answerText(answer)}; signed in headers: served`];
  },
};

const forcedDownload: StoreCheck = {
  ...common,
  name: "oss-forced-download",
  fact: "Where OSS replaces Content-Disposition of an HTML page, the answer has `x-oss-force-download: true`, by URL and with a signature in headers.",
  why: "A replaced header looks like a difference. Without the mark the page would be copied again and again.",
  source: "https://www.alibabacloud.com/help/en/oss/user-guide/0048-00000114",
  reliesOn: ["runtime/stores/oss/metadata.ts", "runtime/replication/equality.ts"],
  async run({ keys }, side) {
    const key = `${keys.still}page.html`;
    await put(side, key, { contentType: "text/html", contentDisposition: "inline" });
    const url = await side.open({ network: "public" }).presignGet(key, { expiresInSeconds: URL_SECONDS });
    const byUrl = await request(side.dispatcher, url);
    if (byUrl.status !== 200) throw new NotShown(`the public host answered a URL with ${answerText(byUrl)}`);
    const answers = { "by URL": byUrl.headers, "signed in headers": await headHeaders(side, key) };
    const lines = Object.entries(answers).map(([how, headers]) => {
      const { "content-disposition": disposition = "none", "x-oss-force-download": forced = "absent" } = headers;
      holds(
        disposition === "inline" || forced === "true",
        `${how}: Content-Disposition became ${disposition}, and x-oss-force-download is ${forced}`,
      );
      return `${how}: Content-Disposition ${disposition}, x-oss-force-download ${forced}`;
    });
    return lines;
  },
};

/** Through the public host. */
function headHeaders({ access, bucket, dispatcher }: LiveSide, key: string) {
  if (access.cloud !== "alicloud") throw new Error("this is no bucket of OSS");
  const { region, credentials } = access;
  const client = new OssClient(
    { bucket, region, credentials, endpoint: ossEndpoint(region, "public", access.originOf), dispatcher },
    OSS_CAPABILITIES,
  );
  return client.text({ op: "head", method: "HEAD", key }, (_, headers) => headers);
}

const checksum: StoreCheck = {
  ...common,
  name: "oss-checksum",
  fact: "HEAD shows the CRC-64 of every object that was written, and it is that of the bytes.",
  why: "Copies from and to OSS are proven by it.",
  source: "https://www.alibabacloud.com/help/en/oss/use-cases/check-data-transmission-integrity-by-using-crc-64",
  reliesOn: ["runtime/stores/oss/metadata.ts", "runtime/replication/equality.ts"],
  async run({ keys, signal }, side) {
    const key = `${keys.still}checksum`;
    await put(side, key);
    const held = (await side.store.head(key, { signal }))?.checksums ?? [];
    const { value } = checksumOf("CRC64XZ", BYTES);
    holds(held[0]?.value === value, `HEAD shows ${held[0]?.value ?? "no CRC-64"}, and the bytes have ${value}`);
    return ["HEAD shows the CRC-64 of the bytes"];
  },
};

const unicodeTags: StoreCheck = {
  ...common,
  name: "oss-unicode-tags",
  fact: "Tags in Chinese are kept as they are.",
  why: "The documentation names ASCII characters only, and the vendor's own test suite uses Chinese.",
  source: "https://www.alibabacloud.com/help/en/oss/user-guide/object-tagging",
  reliesOn: ["runtime/stores/oss/metadata.ts", "runtime/stores/refused-tags.ts"],
  async run({ keys, signal }, side) {
    const key = `${keys.still}unicode-tags`;
    await put(side, key, {}, { 部门: "研发" });
    const tags = await side.store.getTags(key, { signal });
    holds(tags.部门 === "研发", `the tags came back as ${JSON.stringify(tags)}`);
    return ["tags in Chinese came back unchanged"];
  },
};

/** The side whose functions keep their leases in a bucket of their own. */
function leaseSide({ mode, destination }: Config): SideName | undefined {
  if (mode === "push") return "source";
  return mode === "pull" && destination.cloud === "alicloud" ? "destination" : undefined;
}

const BUCKET_NAME_CHARACTERS = 63;

/** The bucket of the leases, as `controlBucketName` of the components names it. A test compares both. */
export function controlBucketOf(bucket: string, bridgeId: string): string {
  const name = `${bucket}-${bridgeId}-bridge-control`;
  if (name.length <= BUCKET_NAME_CHARACTERS) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, BUCKET_NAME_CHARACTERS - 9).replace(/-+$/, "")}-${digest}`;
}

const notTheLeaseSide = ({ config }: Subject, side: SideName): string | undefined =>
  leaseSide(config) === side ? undefined : "the leases are not on this side";

/** Works on a key of the bucket of the leases, and deletes the key. */
async function withLeaseKey(
  { config, keys }: Pick<CheckContext, "config" | "keys">,
  { access, dispatcher, name }: LiveSide,
  work: (store: OssStore, key: string) => Promise<string[]>,
): Promise<string[]> {
  if (access.cloud !== "alicloud") throw new NotShown("the leases are not in OSS");
  const bucket = controlBucketOf(config[name].bucket, config.name);
  const store = openOssStore(access, { bucket, versioned: false, dispatcher });
  const key = `${keys.still}lease`;
  try {
    return await work(store, key);
  } catch (error) {
    if (isBridgeError(error, "HostRefused"))
      throw new NotShown("the bucket of the leases has no domain of its own, and the public host refuses this account");
    throw error;
  } finally {
    await store.delete(key).catch((error: unknown) => {
      if (!isBridgeError(error, "HostRefused")) throw error;
    });
  }
}

const append: StoreCheck = {
  ...common,
  name: "oss-append",
  fact: "AppendObject works under the default encryption of a bucket, and refuses a position that is not the end.",
  why: "Leases are appendable objects. If an encrypted bucket refuses them, no large object is copied.",
  source: "https://www.alibabacloud.com/help/en/oss/developer-reference/appendobject",
  reliesOn: [
    "runtime/stores/oss/append.ts",
    "runtime/replication/append-record-store.ts",
    "components/alicloud/control-bucket.ts",
  ],
  notFor: notTheLeaseSide,
  run: (context, side) =>
    withLeaseKey(context, side, async (store, key) => {
      const first = await store.append(key, 0, BYTES);
      holds(first.sizeBytes === BYTES.length, `the first append made ${first.sizeBytes} bytes`);
      const wrong = await outcome(store.append(key, 0, BYTES));
      holds(wrong !== "succeeded", "an append at a wrong position was accepted");
      const second = await store.append(key, first.sizeBytes, BYTES);
      holds(second.sizeBytes === 2 * BYTES.length, `the second append made ${second.sizeBytes} bytes`);
      const tail = await store.readTail(key, BYTES.length);
      holds(tail?.bytes.equals(BYTES) === true, "the end of the object is not what was appended last");
      return [`two appends were accepted, one at a wrong position was refused (${wrong})`];
    }),
};

const createOnly: StoreCheck = {
  ...common,
  name: "oss-create-only",
  fact: "In a bucket without versions `x-oss-forbid-overwrite` refuses to overwrite an object.",
  why: "It is the only condition that OSS has for a write.",
  source: "https://www.alibabacloud.com/help/en/oss/developer-reference/putobject",
  reliesOn: ["runtime/stores/oss/put.ts", "runtime/stores/oss/uploads.ts"],
  notFor: notTheLeaseSide,
  run: (context, side) =>
    withLeaseKey(context, side, async (store, key) => {
      const attributes = { headers: {}, metadata: {}, tags: {} };
      const write = () => store.put(key, BYTES, { attributes, sizeBytes: BYTES.length, condition: { ifAbsent: true } });
      await write();
      const second = await outcome(write());
      holds(second !== "succeeded", "the second write overwrote the object");
      return [`the second write was refused (${second})`];
    }),
};

const customDomain: StoreCheck = {
  ...common,
  name: "oss-custom-domain",
  fact: "Through its custom domain a bucket takes writes, serves URLs and lists its objects, also where the domain leads to the acceleration host.",
  why: "A bucket on the mainland has no other way from outside. No page says whether a listing works through an accelerated domain.",
  source: "https://www.alibabacloud.com/help/en/oss/user-guide/access-buckets-via-custom-domain-names",
  reliesOn: ["runtime/stores/oss/endpoint.ts", "operator/clouds/alicloud.ts", "components/alicloud/stores.ts"],
  notFor: ({ config }, side) => (config[side].customDomain === undefined ? "this side has no custom domain" : undefined),
  async run({ keys, signal }, side) {
    const store = side.open({});
    const key = `${keys.still}custom-domain`;
    const written = await outcome(put({ store }, key));
    holds(written === "succeeded", `a write was answered with ${written}`);
    const answer = await request(side.dispatcher, await store.presignGet(key, { expiresInSeconds: URL_SECONDS }));
    holds(answer.status === 200, `a URL was answered with ${answerText(answer)}`);
    const listed: string[] = [];
    for await (const object of store.list(key, { signal })) listed.push(object.key);
    holds(listed.includes(key), "the listing does not show the object");
    return ["the domain took a write, served a URL and listed the object"];
  },
};

export const OSS_CHECKS: readonly StoreCheck[] = [
  publicHost,
  accelerateHost,
  customDomain,
  packageDownload,
  forcedDownload,
  checksum,
  unicodeTags,
  append,
  createOnly,
];
