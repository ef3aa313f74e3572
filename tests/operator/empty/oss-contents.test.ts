/** Deletes what a destroy of the real provider leaves in an OSS bucket, against the local OSS. */
import { openOssContents } from "../../../operator/clouds/oss-contents";
import { type OssFixture, ROOT, SHANGHAI, startFixture } from "../../runtime/stores/oss/local-oss";

let fixture: OssFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.stop());

const { signal } = new AbortController();
const KEYS = ["plain", "a b+c", "<&>\"'ü%41", "line\nend\r", "字"];

test.each([true, false])("every version and every unfinished upload goes; a bucket that keeps versions: %s", async (versioned) => {
  const name = `to-empty-${versioned}`;
  const bucket = await fixture.bucket(name);
  if (versioned) await bucket.putBucketVersioning(name, "Enabled");
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
      credentials: async () => ({ accessKeyId: ROOT.accessKeyId, accessKeySecret: ROOT.accessKeySecret, securityToken: undefined }),
      originOf: () => fixture.oss.endpoints[SHANGHAI]?.public ?? "",
      ca: fixture.ca.toString(),
    },
    name,
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
});
