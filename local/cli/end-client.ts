/** Puts and reads objects with each vendor's own client. */
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { clientConfig } from "../aws/client-config";
import { ossClient } from "../oss-client";
import type { LocalEnd } from "./ends";

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
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
    close: () => client.destroy(),
  };
}

/** Far more than a slow machine needs for the largest file. */
const TIMEOUT_MS = 600_000;

function openOss(end: LocalEnd): EndClient {
  const client = ossClient(end);
  return {
    async putFile(key, { path, sizeBytes }) {
      // ali-oss sends an empty stream without a length.
      const body = sizeBytes === 0 ? Buffer.alloc(0) : createReadStream(path);
      const options = { timeout: TIMEOUT_MS, contentLength: sizeBytes };
      await (Buffer.isBuffer(body) ? client.put(key, body) : client.putStream(key, body, options as never));
    },
    async read(key) {
      try {
        return (await client.getStream(key, { timeout: TIMEOUT_MS })).stream as Readable;
      } catch (error) {
        if ((error as { code?: string }).code === "NoSuchKey") return undefined;
        throw error;
      }
    },
    close: () => undefined,
  };
}
