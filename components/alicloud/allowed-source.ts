/** Where presigned URLs of a bucket point. */
import type { Acceleration } from "../config";

export interface AllowedSource {
  origin: string;
  pathPrefix: string;
}

/** As the runtime's store decides it: a bucket cannot stand in front of an address, nor of a name that resolves nowhere else. */
export function allowedSourceOf(bucket: string, host: string): AllowedSource {
  const { hostname } = new URL(`https://${host}`);
  const byPath = hostname === "localhost" || /^[\d.]+$/.test(hostname) || hostname.startsWith("[");
  return byPath
    ? { origin: `https://${host}`, pathPrefix: `/${bucket}/` }
    : { origin: `https://${bucket}.${host}`, pathPrefix: "/" };
}

/** The host of presigned URLs; the region's public one without acceleration. */
export function presignHost(publicHost: string, acceleration: Acceleration): string {
  switch (acceleration) {
    case "none":
      return publicHost;
    case "global":
      return "oss-accelerate.aliyuncs.com";
    case "overseas":
      return "oss-accelerate-overseas.aliyuncs.com";
  }
}
