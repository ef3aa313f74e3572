/** The two ends of a local stack: where they are, and a client that puts and reads objects there. */
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { clientConfig } from "../aws/client-config";
import type { CloudName } from "../local-clouds";
import type { LocalStack } from "../local-stack";
import { ossClient } from "../oss-client";

/** One end of a stack as an outside client reaches it. */
export interface LocalEnd {
  cloud: CloudName;
  /** The client's kind. */
  kind: "s3" | "oss";
  region: string;
  bucket: string;
  /** The start of every key. */
  prefix: string;
  /** `https://host:port`, path style. */
  endpoint: string;
  /** PEM of the certificate that the endpoint shows. */
  caPath: string;
  /** The account's root. */
  credentials: { accessKeyId: string; secretAccessKey: string };
}

export function ends({ clouds, outputs, settings }: LocalStack): { source: LocalEnd; destination: LocalEnd } {
  const end = (side: "source" | "destination", bucket: string): LocalEnd => {
    const {
      cloud,
      region,
      prefix = "",
    } = settings[`crossborderbridge:${side}`] as {
      cloud: CloudName;
      region: string;
      prefix?: string;
    };
    const common = { cloud, region, bucket, prefix, caPath: clouds.caPath };
    if (cloud !== "alicloud")
      return { ...common, kind: "s3", endpoint: clouds[cloud].endpoint, credentials: clouds[cloud].credentials };
    const { root } = clouds.alicloud.ram;
    return {
      ...common,
      kind: "oss",
      endpoint: clouds.alicloud.endpointsOf(region).oss.public,
      credentials: { accessKeyId: root.accessKeyId, secretAccessKey: root.accessKeySecret },
    };
  };
  return { source: end("source", outputs.sourceBucket), destination: end("destination", outputs.destinationBucket) };
}

/** The vendor's own client of one end. */
export interface EndClient {
  putFile(key: string, file: { path: string; sizeBytes: number }): Promise<void>;
  /** The object's bytes; undefined when it does not exist. */
  read(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  close(): void;
}

export function openEnd(end: LocalEnd): EndClient {
  return end.kind === "s3" ? openS3(end) : openOss(end);
}

function openS3(end: LocalEnd): EndClient {
  const client = new S3Client(clientConfig(end));
  const at = (key: string) => ({ Bucket: end.bucket, Key: key });
  return {
    async putFile(key, { path, sizeBytes }) {
      await client.send(new PutObjectCommand({ ...at(key), Body: createReadStream(path), ContentLength: sizeBytes }));
    },
    async read(key) {
      try {
        return (await client.send(new GetObjectCommand(at(key)))).Body as Readable | undefined;
      } catch (error) {
        // A store holds no object under a key that is too long.
        if (error instanceof NoSuchKey || (error as Error).name === "KeyTooLongError") return undefined;
        throw error;
      }
    },
    close: () => client.destroy(),
  };
}

const OSS_TIMEOUT_MS = 600_000;

function openOss(end: LocalEnd): EndClient {
  const client = ossClient(end);
  return {
    async putFile(key, { path, sizeBytes }) {
      // ali-oss sends an empty stream without a length.
      const body = sizeBytes === 0 ? Buffer.alloc(0) : createReadStream(path);
      const options = { timeout: OSS_TIMEOUT_MS, contentLength: sizeBytes };
      await (Buffer.isBuffer(body) ? client.put(key, body) : client.putStream(key, body, options as never));
    },
    async read(key) {
      try {
        return (await client.getStream(key, { timeout: OSS_TIMEOUT_MS })).stream as Readable;
      } catch (error) {
        if ((error as { code?: string }).code === "NoSuchKey") return undefined;
        throw error;
      }
    },
    close: () => undefined,
  };
}
