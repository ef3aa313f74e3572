import { checksumOf } from "../../../../runtime/stores/checksums";
import { createOssStore, type OssStore, type OssStoreOptions } from "../../../../runtime/stores/oss/store";
import type { FakeS3 } from "../s3/fake-s3";

export const CREDENTIALS = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "secret" };

/** A store that speaks to the server that answers as a test says. */
export function ossStore(server: FakeS3, options: Partial<OssStoreOptions> = {}): OssStore {
  const credentials = async () => CREDENTIALS;
  return createOssStore({
    bucket: "bucket",
    region: "cn-shanghai",
    versioned: false,
    endpoint: server.endpoint,
    credentials,
    ...options,
  });
}

/** CRC-64 as OSS writes it. */
export function crcHeader(bytes: Uint8Array): { "x-oss-hash-crc64ecma": string } {
  const digest = Buffer.from(checksumOf("CRC64XZ", bytes).value, "base64");
  return { "x-oss-hash-crc64ecma": digest.readBigUInt64BE().toString() };
}
