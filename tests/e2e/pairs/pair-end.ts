/** One end of any bridge, by its vendor's client. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListObjectVersionsCommand,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type OSS from "ali-oss";
import { clientConfig } from "../../../local/aws/client-config";
import type { LocalEnd } from "../../../local/cli/ends";
import { ossAgent, ossClient } from "../../../local/oss-client";
import { parseTagging } from "../../../runtime/http/tagging";
import { withoutProvenance } from "../../../runtime/replication/provenance";
import { meaningOfHeaderText } from "../../../runtime/stores/header-text";
import { decodeMetadataName, decodeMetadataValue, taggingDocument } from "../../../runtime/stores/oss/metadata";
import { eventually } from "../support/eventually";
import { type SeenObject, sha256 } from "../support/objects";

export interface PutAttributes {
  headers?: Record<string, string>;
  metadata?: Record<string, string>;
  tags?: Record<string, string>;
}

/** Keys are the keys in the bucket. */
export interface PairEnd {
  put(key: string, body: Buffer, attributes?: PutAttributes): Promise<void>;
  /** Reads an object without the bridge's provenance; undefined if none is visible. */
  look(key: string): Promise<SeenObject | undefined>;
  setTags(key: string, tags: Record<string, string>): Promise<void>;
  remove(key: string): Promise<void>;
  /** Number of versions of the key without delete markers. */
  versions(key: string): Promise<number>;
  close(): void;
}

const HEADER_NAMES = [
  "content-type",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
] as const;

export function openPairEnd(end: LocalEnd): PairEnd {
  return end.kind === "s3" ? openS3(end) : openOss(end);
}

/** Waits until the object at the destination is equal to the one at the source. There must be one. */
export async function arrives(source: PairEnd, destination: PairEnd, key: string, deadlineMs: number): Promise<void> {
  await eventually(async () => expect(await destination.look(key)).toEqual((await source.look(key)) ?? "an object"), {
    deadlineMs,
    what: `${key} is equal at source and destination`,
  });
}

/** Decodes metadata and removes provenance. One store returns an encoded word, another its text. */
const own = (metadata: Record<string, string>) =>
  Object.fromEntries(Object.entries(withoutProvenance(metadata)).map(([name, value]) => [name, meaningOfHeaderText(value)]));

function openS3(end: LocalEnd): PairEnd {
  const client = new S3Client(clientConfig(end));
  const at = (key: string) => ({ Bucket: end.bucket, Key: key });
  return {
    async put(key, body, { headers = {}, metadata = {}, tags = {} } = {}) {
      await client.send(
        new PutObjectCommand({
          ...at(key),
          Body: body,
          Metadata: metadata,
          Tagging: new URLSearchParams(tags).toString(),
          ContentType: headers["content-type"],
          CacheControl: headers["cache-control"],
          ContentDisposition: headers["content-disposition"],
          ContentEncoding: headers["content-encoding"],
          ContentLanguage: headers["content-language"],
          ...(headers.expires === undefined ? {} : { Expires: new Date(headers.expires) }),
        }),
      );
    },
    async look(key) {
      try {
        const got = await client.send(new GetObjectCommand(at(key)));
        const body = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
        const { TagSet = [] } = await client.send(new GetObjectTaggingCommand(at(key)));
        const values = [
          got.ContentType,
          got.CacheControl,
          got.ContentDisposition,
          got.ContentEncoding,
          got.ContentLanguage,
          got.ExpiresString,
        ];
        return {
          sizeBytes: body.length,
          sha256: sha256(body),
          headers: Object.fromEntries(HEADER_NAMES.map((name, index) => [name, values[index]])),
          metadata: own(got.Metadata ?? {}),
          tags: Object.fromEntries(TagSet.map(({ Key = "", Value = "" }) => [Key, Value])),
        };
      } catch (error) {
        if (error instanceof NoSuchKey || error instanceof NotFound) return undefined;
        throw error;
      }
    },
    async setTags(key, tags) {
      const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      await client.send(new PutObjectTaggingCommand({ ...at(key), Tagging: { TagSet } }));
    },
    async remove(key) {
      await client.send(new DeleteObjectCommand(at(key)));
    },
    async versions(key) {
      const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: end.bucket, Prefix: key }));
      return Versions.filter(({ Key }) => Key === key).length;
    },
    close: () => client.destroy(),
  };
}

/** Methods of ali-oss that its types lack. */
interface Untyped {
  getBucketVersions(query: object): Promise<{ objects?: { name: string }[] }>;
  signatureUrlV4(method: string, expires: number, request: object, key: string): Promise<string>;
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/**
 * Sends requests to URLs that ali-oss signs. They keep keys and bytes exactly, while the methods of ali-oss resolve dot segments and unpack
 * compressed bodies.
 */
function openOss(end: LocalEnd): PairEnd {
  const agent = ossAgent(end.caPath);
  const client = ossClient({ ...end, agent }) as OSS & Untyped;

  async function send(
    method: string,
    key: string,
    {
      headers = {},
      queries = {},
      body,
    }: { headers?: Record<string, string>; queries?: Record<string, null>; body?: Buffer } = {},
  ): Promise<Answer> {
    const url = await client.signatureUrlV4(method, 60, { headers, queries }, key);
    const { hostname, port } = new URL(end.endpoint);
    const sent = request({ hostname, port, agent, method, path: url.slice(end.endpoint.length), headers });
    sent.end(body);
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    return { status: answer.statusCode ?? 0, headers: answer.headers as Record<string, string>, body: Buffer.concat(chunks) };
  }

  async function expectOk(sent: Promise<Answer>): Promise<Answer> {
    const answer = await sent;
    if (answer.status >= 300) throw new Error(`OSS answered ${answer.status}: ${answer.body.toString("utf8")}`);
    return answer;
  }

  return {
    async put(key, body, { headers = {}, metadata = {}, tags = {} } = {}) {
      const fields: Record<string, string> = { "content-type": "application/octet-stream", ...headers };
      for (const [name, value] of Object.entries(metadata)) fields[`x-oss-meta-${name}`] = value;
      if (Object.keys(tags).length > 0) fields["x-oss-tagging"] = new URLSearchParams(tags).toString();
      await expectOk(send("PUT", key, { headers: { ...fields, "content-length": String(body.length) }, body }));
    },
    async look(key) {
      const got = await send("GET", key);
      if (got.status === 404) return undefined;
      const { headers, body } = await expectOk(Promise.resolve(got));
      const tagging = await expectOk(send("GET", key, { queries: { tagging: null } }));
      const metadata = Object.entries(headers).flatMap(([name, value]) =>
        name.startsWith("x-oss-meta-")
          ? [[decodeMetadataName(name.slice("x-oss-meta-".length)), decodeMetadataValue(value)] as const]
          : [],
      );
      return {
        sizeBytes: body.length,
        sha256: sha256(body),
        headers: Object.fromEntries(HEADER_NAMES.map((name) => [name, headers[name]])),
        metadata: own(Object.fromEntries(metadata)),
        tags: parseTagging(tagging.body.toString("utf8")) ?? {},
      };
    },
    async setTags(key, tags) {
      const body = taggingDocument(tags);
      await expectOk(send("PUT", key, { queries: { tagging: null }, headers: { "content-length": String(body.length) }, body }));
    },
    async remove(key) {
      await expectOk(send("DELETE", key));
    },
    async versions(key) {
      const { objects = [] } = await client.getBucketVersions({ prefix: key, "max-keys": 100 });
      return objects.filter(({ name }) => name === key).length;
    },
    close: () => agent.destroy(),
  };
}
