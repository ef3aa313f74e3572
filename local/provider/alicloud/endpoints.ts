import type { AlicloudContext } from "./context";

/** `127.0.0.1:PORT` of the local OSS, because presigned URLs are read by address only; in a preview without a cloud the vendor's hosts. */
export function bucketEndpoints({ cloud, region }: AlicloudContext): { extranetEndpoint: string; intranetEndpoint: string } {
  const local = cloud?.services.oss.endpoints[region];
  if (local === undefined) {
    return { extranetEndpoint: `oss-${region}.aliyuncs.com`, intranetEndpoint: `oss-${region}-internal.aliyuncs.com` };
  }
  return { extranetEndpoint: byAddress(local.public), intranetEndpoint: byAddress(local.internal) };
}

const byAddress = (origin: string): string => `127.0.0.1:${new URL(origin).port}`;
