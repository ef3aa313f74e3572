/** The parts of a bucket's configuration. The id is the bucket's name. */
import type { Failure, Infer, Schema } from "../../schema";
import { ignoreMissing, unlessMissing } from "../api-failure";
import { notOneOf } from "../checks";
import { type AlicloudContext, cloudOf, resource } from "../context";
import type { Document, OssApi } from "../oss-api";

interface Setting<S extends Schema> {
  token: string;
  /** The subresource of the bucket. */
  name: string;
  inputs: S;
  check?(inputs: Infer<S>): Iterable<Failure>;
  document(inputs: Infer<S>): Document;
  /** Given for a setting that OSS answers with an empty document if it is not set. @default it is set if OSS answers */
  isSet?(oss: OssApi, bucket: string): Promise<boolean>;
  /** The provider keeps the setting when the resource is deleted. */
  stays?: true;
}

function setting<const S extends Schema>({ token, name, inputs, check, document, isSet, stays }: Setting<S>) {
  const put = async (context: AlicloudContext, given: unknown) => {
    const { bucket } = given as { bucket: string };
    await cloudOf(context).oss.put(bucket, name, document(given as Infer<S>));
    return bucket;
  };
  return resource({
    token,
    inputs: { "bucket!": "string", ...inputs },
    computed: [],
    replaceOn: ["bucket"],
    check: check && ((given: unknown) => check(given as Infer<S>)),
    create: put,
    read: async (context, id) => {
      const { oss } = cloudOf(context);
      const found = await unlessMissing(async () =>
        isSet === undefined ? oss.get(id, name) : (await isSet(oss, id)) || undefined,
      );
      return found && {};
    },
    update: async (context, _id, news) => {
      await put(context, news);
    },
    delete: async (context, id) => {
      if (!stays) await ignoreMissing(() => cloudOf(context).oss.remove(id, name));
    },
  });
}

export const bucketVersioning = setting({
  token: "alicloud:oss/bucketVersioning:BucketVersioning",
  name: "versioning",
  inputs: { "status!": "string" },
  check: ({ status }) => notOneOf("status", status, ["Enabled", "Suspended"]),
  document: ({ status: Status }) => ({ root: "VersioningConfiguration", fields: { Status } }),
  isSet: async (oss, bucket) => (await oss.get(bucket, "versioning")).Status !== undefined,
  stays: true,
});

export const bucketTransferAcceleration = setting({
  token: "alicloud:oss/bucketTransferAcceleration:BucketTransferAcceleration",
  name: "transferAcceleration",
  inputs: { enabled: "boolean" },
  document: ({ enabled: Enabled = false }) => ({ root: "TransferAccelerationConfiguration", fields: { Enabled } }),
  stays: true,
});

export const bucketPolicy = setting({
  token: "alicloud:oss/bucketPolicy:BucketPolicy",
  name: "policy",
  inputs: { "policy!": "json" },
  document: ({ policy: json }) => ({ json }),
  isSet: async (oss, bucket) => (await oss.getJson(bucket, "policy")) !== null,
});

export const bucketServerSideEncryption = setting({
  token: "alicloud:oss/bucketServerSideEncryption:BucketServerSideEncryption",
  name: "encryption",
  inputs: { "sseAlgorithm!": "string", kmsDataEncryption: "string", kmsMasterKeyId: "string" },
  check: function* ({ sseAlgorithm, kmsDataEncryption }) {
    yield* notOneOf("sseAlgorithm", sseAlgorithm, ["AES256", "KMS", "SM4"]);
    yield* notOneOf("kmsDataEncryption", kmsDataEncryption, ["SM4"]);
  },
  document: ({ sseAlgorithm: SSEAlgorithm, kmsDataEncryption: KMSDataEncryption, kmsMasterKeyId: KMSMasterKeyID }) => ({
    root: "ServerSideEncryptionRule",
    fields: { ApplyServerSideEncryptionByDefault: { SSEAlgorithm, KMSDataEncryption, KMSMasterKeyID } },
  }),
});

export const bucketPublicAccessBlock = setting({
  token: "alicloud:oss/bucketPublicAccessBlock:BucketPublicAccessBlock",
  name: "publicAccessBlock",
  inputs: { "blockPublicAccess!": "boolean" },
  document: ({ blockPublicAccess: BlockPublicAccess }) => ({
    root: "PublicAccessBlockConfiguration",
    fields: { BlockPublicAccess },
  }),
});

export const bucketHttpsConfig = setting({
  token: "alicloud:oss/bucketHttpsConfig:BucketHttpsConfig",
  name: "httpsConfig",
  inputs: { "enable!": "boolean", tlsVersions: ["string"] },
  check: function* ({ enable, tlsVersions = [] }) {
    if (enable && tlsVersions.length === 0) yield { property: "tlsVersions", reason: "an enabled rule names TLS versions" };
    for (const version of tlsVersions) {
      yield* notOneOf("tlsVersions", version, ["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"]);
    }
  },
  document: ({ enable: Enable, tlsVersions: TLSVersion }) => ({
    root: "HttpsConfiguration",
    fields: { TLS: { Enable, TLSVersion } },
  }),
  stays: true,
});
