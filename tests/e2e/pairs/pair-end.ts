/** One end of any bridge, through its vendor's own client. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { DeleteObjectCommand, GetObjectCommand, GetObjectTaggingCommand, ListObjectVersionsCommand, NoSuchKey, NotFound, PutObjectCommand, PutObjectTaggingCommand, S3Client } from "@aws-sdk/client-s3";
import type OSS from "ali-oss";
import { clientConfig } from "../../../local/aws/client-config";
import type { LocalEnd } from "../../../local/cli/ends";
import { ossAgent, ossClient } from "../../../local/oss-client";
import { meaningOfHeaderText } from "../../../runtime/stores/header-text";
import { decodeMetadataName, decodeMetadataValue, parseTags, taggingDocument } from "../../../runtime/stores/oss/metadata";
import { type SeenObject, sha256 } from "../support/objects";

export interface PutAttributes {
  headers?: Record<string, string>;
  metadata?: Record<string, string>;
  tags?: Record<string, string>;
}

/** Keys are those of the end itself. */
export interface PairEnd {
  put(key: string, body: Buffer, attributes?: PutAttributes): Promise<void>;
  /** Bytes, headers, metadata without what the bridge adds, tags; undefined where no object is visible. */
  look(key: string): Promise<SeenObject | undefined>;
  setTags(key: string, tags: Record<string, string>): Promise<void>;
  remove(key: string): Promise<void>;
  /** How many versions of the key hold an object. */
  versions(key: string): Promise<number>;
  close(): void;
}

const PROVENANCE = /^bridge-(id|source-version|source-modified|origin|key)$/;
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

/** By their meaning: one store shows an encoded word, another the text that it stands for. */
const own = (metadata: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(metadata)
      .filter(([name]) => !PROVENANCE.test(name))
      .map(([name, value]) => [name, meaningOfHeaderText(value)]),
  );

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

/** What ali-oss has and its types lack. */
interface Untyped {
  getBucketVersions(query: object): Promise<{ objects?: { name: string }[] }>;
  signatureUrlV4(method: string, expires: number, request: object, key: string): Promise<string>;
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** Keys and bytes to the letter: ali-oss itself resolves dot segments and unpacks what is compressed, but the URLs that it signs are exact. */
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
        tags: parseTags(tagging.body.toString("utf8")),
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
