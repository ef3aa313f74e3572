/** Deletes what a destroy of the real provider leaves in an OSS bucket, against the local OSS. */
import type OSS from "ali-oss";
import { openOssContents } from "../../../operator/clouds/oss-contents";
import { type OssFixture, ROOT, SHANGHAI, startFixture } from "../../runtime/stores/oss/local-oss";

let fixture: OssFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.stop());

const { signal } = new AbortController();
const credentials = async () => ({
  accessKeyId: ROOT.accessKeyId,
  accessKeySecret: ROOT.accessKeySecret,
  securityToken: undefined,
});
/** Missing in the types of ali-oss. */
interface Versioned {
  putBucketVersioning(bucket: string, status: "Enabled"): Promise<void>;
}
const KEYS = ["plain", "a b+c", "<&>\"'ü%41", "line\nend\r", "字"];

test.each([true, false])(
  "every version and every unfinished upload goes; a bucket that keeps versions: %s",
  async (versioned) => {
    const name = `to-empty-${versioned}`;
    const bucket = await fixture.bucket(name);
    if (versioned) await (bucket as unknown as Versioned).putBucketVersioning(name, "Enabled");
    for (const key of KEYS) {
      await bucket.put(key, Buffer.from("1"));
      await bucket.put(key, Buffer.from("2"));
      await bucket.initMultipartUpload(key);
    }
    if (versioned) await bucket.delete("plain");
    const contents = openOssContents(
      {
        cloud: "alicloud",
        region: SHANGHAI,
        credentials,
        originOf: () => fixture.oss.endpoints[SHANGHAI]?.public ?? "",
        ca: fixture.ca.toString(),
      },
      { name },
    );
    try {
      const uploads = await contents.uploads(signal);
      expect(uploads.map(({ key }) => key).sort()).toEqual([...KEYS].sort());
      for (const upload of uploads) await contents.abort(upload, signal);
      expect(await contents.uploads(signal)).toEqual([]);
      // Somebody else was faster.
      await contents.abort({ key: "plain", uploadId: uploads[0]?.uploadId ?? "" }, signal);
      const versions = await contents.versions(signal);
      expect(new Set(versions.map(({ key }) => key))).toEqual(new Set(KEYS));
      expect(versions).toHaveLength(versioned ? 2 * KEYS.length + 1 : KEYS.length);
      expect(await contents.remove(versions, signal)).toEqual([]);
      expect(await contents.versions(signal)).toEqual([]);
    } finally {
      await contents.close();
    }
    await bucket.deleteBucket(name);
  },
);

test("where the public host is refused, everything goes by the bucket's domain", async () => {
  const strict = await startFixture({ blockMainlandPublicData: true });
  const [name, customDomain] = ["behind-a-domain", "files.example.test"];
  try {
    const bucket = await strict.bucket(name);
    await bindDomain(bucket, name, customDomain);
    const inside = strict.client({ bucket: name, endpoint: strict.oss.endpoints[SHANGHAI]?.internal ?? "" });
    await inside.put("k", Buffer.from("1"));
    const originOf = (host: string) => strict.oss.domains()[host] ?? strict.oss.endpoints[SHANGHAI]?.public ?? "";
    const access = { cloud: "alicloud", region: SHANGHAI, credentials, originOf, ca: strict.ca.toString() } as const;
    const [byHost, byDomain] = [openOssContents(access, { name }), openOssContents(access, { name, customDomain })];
    await expect(byHost.versions(signal)).rejects.toMatchObject({ kind: "HostRefused" });
    const versions = await byDomain.versions(signal);
    expect(versions).toEqual([{ key: "k", versionId: "null" }]);
    expect(await byDomain.uploads(signal)).toEqual([]);
    expect(await byDomain.remove(versions, signal)).toEqual([]);
    expect(await byDomain.versions(signal)).toEqual([]);
    await Promise.all([byHost.close(), byDomain.close()]);
  } finally {
    await strict.stop();
  }
});

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putcname */
async function bindDomain(client: OSS, bucket: string, domain: string): Promise<void> {
  const { request } = client as unknown as { request(options: object): Promise<unknown> };
  const content = `<BucketCnameConfiguration><Cname><Domain>${domain}</Domain></Cname></BucketCnameConfiguration>`;
  const subres = { cname: "", comp: "add" };
  await request.call(client, { method: "POST", bucket, subres, mime: "xml", content, successStatuses: [200] });
}
