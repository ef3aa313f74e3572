import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import OSS from "ali-oss";

export interface OssClientOptions {
  /** `https://localhost:PORT` */
  endpoint: string;
  /** E.g. `cn-shanghai`. */
  region: string;
  bucket?: string;
  caPath: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  /** The caller closes it: ali-oss cannot be closed. @default a new agent */
  agent?: Agent;
}

export const ossAgent = (caPath: string): Agent => new Agent({ ca: readFileSync(caPath), keepAlive: true, maxSockets: 32 });

/** An ali-oss client of the local OSS. */
export function ossClient({ endpoint, region, bucket, caPath, credentials, agent }: OssClientOptions): OSS {
  return new OSS({
    accessKeyId: credentials.accessKeyId,
    accessKeySecret: credentials.secretAccessKey,
    ...(credentials.sessionToken === undefined ? {} : { stsToken: credentials.sessionToken }),
    // Without an interval ali-oss prints a warning.
    refreshSTSTokenInterval: 86_400_000,
    authorizationV4: true,
    region: `oss-${region}`,
    endpoint,
    ...(bucket === undefined ? {} : { bucket }),
    // Path style, because a bucket has no host name of its own here. With an IP address ali-oss would require OSS's certificate.
    sldEnable: true,
    httpsAgent: agent ?? ossAgent(caPath),
  } as OSS.Options);
}
