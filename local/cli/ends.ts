import type { LocalPartition } from "../aws/local-aws";
import type { LocalStack } from "../local-stack";

export interface LocalEnd {
  cloud: LocalPartition;
  bucket: string;
  /** In front of every key. */
  prefix: string;
}

/** Which local cloud each end of the stack is in, by the stack's own settings. */
export function ends({ clouds, outputs, settings }: LocalStack): { source: LocalEnd; destination: LocalEnd } {
  const end = (side: "source" | "destination", bucket: string): LocalEnd => {
    const { cloud, prefix = "" } = settings[`crossborderbridge:${side}`] as { cloud: "aws" | "aws-cn"; prefix?: string };
    return { cloud: clouds[cloud], bucket, prefix };
  };
  return { source: end("source", outputs.sourceBucket), destination: end("destination", outputs.destinationBucket) };
}
