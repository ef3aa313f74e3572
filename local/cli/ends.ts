import type { CloudName } from "../local-clouds";
import type { LocalStack } from "../local-stack";

/** One end of a stack as an outside client reaches it. */
export interface LocalEnd {
  cloud: CloudName;
  /** Which kind of client speaks to it. */
  kind: "s3" | "oss";
  region: string;
  bucket: string;
  /** In front of every key. */
  prefix: string;
  /** `https://host:port`, path style. */
  endpoint: string;
  /** PEM of the certificate that the endpoint shows. */
  caPath: string;
  /** The account's own. */
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
