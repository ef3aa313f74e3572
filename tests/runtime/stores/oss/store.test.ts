import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { createAppendLeaseStore } from "../../../../runtime/replication/lease";
import { checksumOf } from "../../../../runtime/stores/checksums";
import { createOssDispatcher } from "../../../../runtime/stores/oss/client";
import {
  createOssStore,
  OSS_CAPABILITIES,
  OSS_VERSIONED_CAPABILITIES,
  type OssStoreOptions,
} from "../../../../runtime/stores/oss/store";
import { readAll } from "../../../../runtime/stores/read-all";
import { leaseStoreConformance } from "../../../conformance/lease-store-conformance";
import { collect, expectKind, NO_ATTRIBUTES, someBytes, streamOf } from "../../../conformance/object-store/context";
import { objectStoreConformance } from "../../../conformance/object-store-conformance";
import { EXPIRED, type OssFixture, ROOT, SHANGHAI, STS, startFixture } from "./local-oss";

let fixture: OssFixture;
let dispatcher: ReturnType<typeof createOssDispatcher>;
beforeAll(async () => {
  fixture = await startFixture();
  dispatcher = createOssDispatcher({ ca: fixture.ca.toString() });
}, 120_000);
afterAll(async () => {
  await dispatcher.close();
  await fixture.stop();
});

/** `fetch` would normalise `.` and `..` in the path. */
function getRaw(url: string, headers: Record<string, string>): Promise<{ status: number; body: Buffer }> {
  const [, host = "", port = "", path = ""] = /^https:\/\/([^:/]+):(\d+)(\/.*)$/.exec(url) ?? [];
  return new Promise((resolve, reject) => {
    request({ host, port, path, headers, ca: fixture.ca }, (response) => {
      readAll(response, 1024 ** 2).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    })
      .on("error", reject)
      .end();
  });
}

/** Calls of ali-oss that its types leave out. */
interface Versioning {
  putBucketVersioning(bucket: string, status: "Enabled"): Promise<unknown>;
  getObjectTagging(key: string, options: { versionId: string }): Promise<{ tag: Record<string, string> }>;
}
const asVersioned = (client: unknown) => client as Versioning;

function store(bucket: string, options: Partial<OssStoreOptions> = {}) {
  const endpoint = fixture.oss.endpoints[SHANGHAI]?.public ?? "";
  const credentials = async () => ROOT;
  return createOssStore({ bucket, region: SHANGHAI, versioned: false, credentials, endpoint, dispatcher, ...options });
}

const BY_NATURE = {
  "put-attributes": "tags of OSS hold no @",
  "put-attributes-streamed": "tags of OSS hold no @",
  "upload-headers": "tags of OSS hold no @",
  "upload-tags": "tags of OSS hold no @",
  "put-tags": "tags of OSS hold no &",
  "key-/leading-slash": "keys of OSS begin with no slash",
  "key-//two": "keys of OSS begin with no slash",
  "key-distinct": "keys of OSS begin with no slash",
};

for (const versioned of [false, true]) {
  objectStoreConformance({
    name: `OSS in a bucket ${versioned ? "with" : "without"} versions`,
    capabilities: versioned ? OSS_VERSIONED_CAPABILITIES : OSS_CAPABILITIES,
    versioned,
    knownGaps: BY_NATURE,
    make: async () => {
      const bucket = `conformance-${versioned ? "versioned" : "plain"}`;
      const client = await fixture.bucket(bucket);
      if (versioned) await asVersioned(client).putBucketVersioning(bucket, "Enabled");
      return {
        store: store(bucket, { versioned }),
        fetch: getRaw,
        // The server checks signatures against the real clock.
        elapse: (ms) => sleep(ms),
      };
    },
  });
}

leaseStoreConformance({
  name: "Leases in a log of OSS",
  make: async () => {
    await fixture.bucket("leases");
    return () => createAppendLeaseStore(store("leases"), "bridge");
  },
});

describe("against the server", () => {
  const ATTRIBUTES = {
    headers: {
      contentType: "text/plain",
      contentDisposition: Buffer.from('attachment; filename="文.txt"').toString("latin1"),
      expires: "0",
    },
    metadata: { "some-name": "b1", "x.y_z": "文件", empty: "" },
    tags: { "key with spaces": "a+b=c/d:e_f.g-h", empty: "", 中文: "标签 é" },
  };
  let bucket: string;
  beforeAll(async () => {
    bucket = "against-the-server";
    await fixture.bucket(bucket);
  });

  async function expectAttributes(key: string): Promise<void> {
    const head = await store(bucket).head(key);
    expect({ headers: head?.headers, metadata: head?.metadata }).toEqual({
      headers: ATTRIBUTES.headers,
      metadata: ATTRIBUTES.metadata,
    });
    expect(await store(bucket).getTags(key)).toEqual(ATTRIBUTES.tags);
  }

  test("all attributes that OSS can hold arrive unchanged: in one request, in blocks and in parts", async () => {
    const bytes = someBytes(9 * 1024 ** 2);
    await store(bucket).put("one", bytes, { attributes: ATTRIBUTES, sizeBytes: bytes.length });
    await store(bucket).put("blocks", streamOf(bytes), {
      attributes: ATTRIBUTES,
      sizeBytes: bytes.length,
      condition: { ifAbsent: true },
    });
    const { uploadId } = await store(bucket).createUpload("parts", { attributes: ATTRIBUTES });
    await store(bucket).completeUpload("parts", uploadId, [
      await store(bucket).uploadPart("parts", { uploadId, partNumber: 1 }, bytes),
    ]);
    for (const key of ["one", "blocks", "parts"]) {
      await expectAttributes(key);
      expect((await store(bucket).head(key))?.checksums).toEqual([checksumOf("CRC64XZ", bytes)]);
      const { body } = await store(bucket).get(key);
      expect((await readAll(body, bytes.length)).equals(bytes)).toBe(true);
    }
  });

  test("a put in blocks with ifAbsent is refused where an object exists, and leaves no upload", async () => {
    const bytes = someBytes(5 * 1024 ** 2);
    const options = { attributes: NO_ATTRIBUTES, sizeBytes: bytes.length, condition: { ifAbsent: true } } as const;
    await store(bucket).put("taken", streamOf(bytes), options);
    await expectKind(store(bucket).put("taken", streamOf(bytes), options), "PreconditionFailed");
    const { uploads } = await fixture.client({ bucket }).listUploads({ prefix: "taken" } as never);
    expect(uploads ?? []).toEqual([]);
  });

  test("credentials of STS sign requests and URLs; ended ones are PermissionDenied", async () => {
    const { stsToken: securityToken, ...keys } = STS;
    const temporary = store(bucket, { credentials: async () => ({ ...keys, securityToken }) });
    await temporary.put("sts", Buffer.from("x"), { attributes: NO_ATTRIBUTES, sizeBytes: 1 });
    expect((await getRaw(await temporary.presignGet("sts", { expiresInSeconds: 60 }), {})).status).toBe(200);
    const ended = { accessKeyId: EXPIRED.accessKeyId, accessKeySecret: EXPIRED.accessKeySecret, securityToken: EXPIRED.stsToken };
    await expectKind(store(bucket, { credentials: async () => ended }).get("sts"), "PermissionDenied");
    await expectKind(
      store(bucket, { credentials: async () => ({ ...ROOT, accessKeySecret: "wrong" }) }).get("sts"),
      "PermissionDenied",
    );
  });

  test("the accelerated endpoint carries objects once it is enabled, listings go to the region's", async () => {
    const { accelerate = "", public: regional = "" } = fixture.oss.endpoints[SHANGHAI] ?? {};
    const accelerated = store(bucket, { endpoint: accelerate, bucketEndpoint: regional });
    await expectKind(accelerated.put("fast", Buffer.from("x"), { attributes: NO_ATTRIBUTES, sizeBytes: 1 }), "PermissionDenied");
    const enabled = "<TransferAccelerationConfiguration><Enabled>true</Enabled></TransferAccelerationConfiguration>";
    await (fixture.client({ bucket }) as unknown as { request(params: object): Promise<unknown> }).request({
      method: "PUT",
      bucket,
      subres: "transferAcceleration",
      content: Buffer.from(enabled),
      successStatuses: [200],
    });
    await accelerated.put("fast", Buffer.from("x"), { attributes: NO_ATTRIBUTES, sizeBytes: 1 });
    expect((await collect(accelerated.list("fast"))).map(({ key }) => key)).toEqual(["fast"]);
    expect((await getRaw(await accelerated.presignGet("fast", { expiresInSeconds: 60 }), {})).status).toBe(200);
  });

  test("a tag that the server refuses is named with its value, for a put, an upload and a change of tags", async () => {
    await store(bucket).put("refused", Buffer.from("1"), { attributes: NO_ATTRIBUTES, sizeBytes: 1 });
    const attributes = { ...NO_ATTRIBUTES, tags: { fine: "1", "a&b": "c<d" } };
    for (const write of [
      () => store(bucket).put("refused", Buffer.from("1"), { attributes, sizeBytes: 1 }),
      () => store(bucket).createUpload("refused", { attributes }),
      () => store(bucket).putTags("refused", attributes.tags),
    ]) {
      await expectKind(write(), "Invalid");
      await expect(write()).rejects.toThrow('"a&b"="c<d"; change it');
    }
  });

  test("tags of one version leave the others alone", async () => {
    const versions = "tagged-versions";
    await asVersioned(await fixture.bucket(versions)).putBucketVersioning(versions, "Enabled");
    const versioned = store(versions, { versioned: true });
    const options = { attributes: NO_ATTRIBUTES, sizeBytes: 1 };
    const { versionId = "" } = await versioned.put("k", Buffer.from("1"), options);
    await versioned.put("k", Buffer.from("2"), options);
    await versioned.putTags("k", { of: "the first" }, { versionId });
    expect(await versioned.getTags("k")).toEqual({});
    const tagging = await asVersioned(fixture.client({ bucket: versions })).getObjectTagging("k", { versionId });
    expect(tagging.tag).toEqual({ of: "the first" });
  });

  test("an object too large for one copy is touched in parts, and is left alone when its etag differs", async () => {
    const bytes = someBytes(11 * 1024 ** 2);
    const { etag } = await store(bucket).put("large", bytes, { attributes: ATTRIBUTES, sizeBytes: bytes.length });
    const copyLimits = { maxCopyBytes: 6 * 1024 ** 2, partSizeBytes: 5 * 1024 ** 2 };
    const inParts = store(bucket, { copyLimits, maxAttempts: 1 });
    const touched = await inParts.touch("large", { ifMatch: etag });
    expect(touched.etag).toMatch(/-3$/);
    await expectAttributes("large");
    expect(await store(bucket).head("large")).toMatchObject({ ...touched, checksums: [checksumOf("CRC64XZ", bytes)] });
    expect((await readAll((await store(bucket).get("large")).body, bytes.length)).equals(bytes)).toBe(true);
    await expectKind(inParts.touch("large", { ifMatch: etag }), "PreconditionFailed");
    expect((await store(bucket).head("large"))?.etag).toBe(touched.etag);
  });

  test("an appendable object cannot be touched", async () => {
    await store(bucket).append("log", 0, Buffer.from("entry"));
    await expectKind(store(bucket).touch("log"), "Unsupported");
    await store(bucket).append("log", 5, Buffer.from("next"));
  });

  test("a server with an untrusted certificate gets no request", async () => {
    const distrustful = createOssDispatcher();
    await expect(store(bucket, { dispatcher: distrustful }).head("one")).rejects.toThrow(
      /SELF_SIGNED|UNABLE_TO_VERIFY|DEPTH_ZERO/,
    );
    await distrustful.close();
  });
});
