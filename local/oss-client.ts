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
  /** The caller's to end, as ali-oss has no end. @default one of its own */
  agent?: Agent;
}

export const ossAgent = (caPath: string): Agent => new Agent({ ca: readFileSync(caPath), keepAlive: true, maxSockets: 32 });

/** The vendor's own client, pointed at the local OSS. */
export function ossClient({ endpoint, region, bucket, caPath, credentials, agent }: OssClientOptions): OSS {
  return new OSS({
    accessKeyId: credentials.accessKeyId,
    accessKeySecret: credentials.secretAccessKey,
    ...(credentials.sessionToken === undefined ? {} : { stsToken: credentials.sessionToken }),
    // Says that tokens are looked after, or ali-oss prints advice.
    refreshSTSTokenInterval: 86_400_000,
    authorizationV4: true,
    region: `oss-${region}`,
    endpoint,
    ...(bucket === undefined ? {} : { bucket }),
    // Path style: no name but localhost and 127.0.0.1 leads here, and with an IP ali-oss would ask for OSS's own certificate.
    sldEnable: true,
    httpsAgent: agent ?? ossAgent(caPath),
  } as OSS.Options);
}
