import { ListObjectVersionsCommand, S3Client } from "@aws-sdk/client-s3";
import type OSS from "ali-oss";
import { clientConfig } from "../../../local/aws/client-config";
import type { LocalEnd } from "../../../local/cli/ends";
import { ossAgent, ossClient } from "../../../local/oss-client";

/** A method of ali-oss that its types lack. */
interface Versions {
  getBucketVersions(query: object): Promise<{ objects?: { name: string }[]; deleteMarker?: { name: string }[] }>;
}

const MAX_VERSIONS = 1000;

/** The key of every version in a bucket. A delete marker has the suffix " (delete marker)". */
export async function everyVersion(end: LocalEnd, prefix = ""): Promise<string[]> {
  const { objects, markers } = await (end.kind === "s3" ? ofS3(end, prefix) : ofOss(end, prefix));
  const all = [...objects, ...markers.map((key) => `${key} (delete marker)`)];
  // The listings read one page only.
  if (all.length >= MAX_VERSIONS) throw new Error(`${all.length} versions: this helper reads only one page`);
  return all.sort();
}

async function ofS3(end: LocalEnd, Prefix: string) {
  const client = new S3Client(clientConfig(end));
  try {
    const listed = await client.send(new ListObjectVersionsCommand({ Bucket: end.bucket, Prefix }));
    const { Versions = [], DeleteMarkers = [] } = listed;
    const keys = (entries: { Key?: string | undefined }[]) => entries.map(({ Key = "" }) => Key);
    return { objects: keys(Versions), markers: keys(DeleteMarkers) };
  } finally {
    client.destroy();
  }
}

async function ofOss(end: LocalEnd, prefix: string) {
  // ali-oss signs an empty prefix differently from OSS, so it is left out.
  const within = prefix === "" ? {} : { prefix };
  const agent = ossAgent(end.caPath);
  try {
    const client = ossClient({ ...end, agent }) as OSS & Versions;
    const { objects = [], deleteMarker = [] } = await client.getBucketVersions({ ...within, "max-keys": MAX_VERSIONS });
    const keys = (entries: { name: string }[]) => entries.map(({ name }) => name);
    return { objects: keys(objects), markers: keys(deleteMarker) };
  } finally {
    agent.destroy();
  }
}
