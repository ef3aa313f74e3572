/** The bridges that the test of AWS's policies deploys. They share one local cloud. */
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { clientConfig } from "../../../local/aws/client-config";
import type { LocalPartition } from "../../../local/aws/local-aws";
import type { LocalClouds } from "../../../local/local-clouds";
import { type LocalStack, startLocalStack } from "../../../local/local-stack";
import { startTestStack, type TestStack } from "../support/stack";
import type { Place } from "./required";

export interface Places {
  source: Place;
  destination: Place;
}

/** The probers run only when the tests send an event. */
const PROBE = { enabled: true, everyMinutes: 60 };
const IN = ["in/"];

/** A bridge between the partitions. */
/** The copier copies larger objects. */
export const INLINE_LIMIT_BYTES = 8 * 1024 ** 2;
export const PULL = { stack: "dev", name: "dev" } as const;
/** A two-way bridge inside AWS Global, where S3 itself replicates. */
export const NATIVE = { stack: "two-way", name: "both", buckets: { source: "both-here", destination: "both-there" } } as const;

export async function placesOf(clouds: LocalClouds): Promise<Record<"pull" | "native", Places>> {
  return {
    pull: { source: await placeIn(clouds.aws), destination: await placeIn(clouds["aws-cn"]) },
    native: { source: await placeIn(clouds.aws), destination: await placeIn(clouds.aws, "eu-west-1") },
  };
}

export function deployPull(clouds: LocalClouds, { source, destination }: Places): Promise<TestStack> {
  return startTestStack({
    stack: PULL.stack,
    clouds,
    settings: {
      "crossborderbridge:name": PULL.name,
      "crossborderbridge:source": { cloud: "aws", region: source.region, bucket: "watched", kmsKeyArn: source.kmsKeyArn },
      // With a prefix, the bridge's own objects and the replicas are different resources.
      "crossborderbridge:destination": {
        cloud: "aws-cn",
        region: destination.region,
        bucket: "copies",
        prefix: "copies/",
        kmsKeyArn: destination.kmsKeyArn,
      },
      "crossborderbridge:scope": { prefixes: IN, tags: { watched: "yes" } },
      "crossborderbridge:auth": { kind: "iam" },
      "crossborderbridge:statusTags": true,
      "crossborderbridge:inlineLimitBytes": INLINE_LIMIT_BYTES,
      "crossborderbridge:probe": PROBE,
    },
  });
}

export function deployNative(clouds: LocalClouds, places: Places): Promise<LocalStack> {
  const side = (at: "source" | "destination") => {
    const { region, kmsKeyArn } = places[at];
    return { cloud: "aws", region, bucket: NATIVE.buckets[at], kmsKeyArn };
  };
  return startLocalStack({
    stack: NATIVE.stack,
    clouds,
    settings: {
      "crossborderbridge:name": NATIVE.name,
      "crossborderbridge:source": side("source"),
      "crossborderbridge:destination": side("destination"),
      "crossborderbridge:scope": { prefixes: IN },
      "crossborderbridge:deletes": "replicate",
      "crossborderbridge:existingObjects": "replicate",
      "crossborderbridge:probe": PROBE,
    },
  });
}

async function placeIn(cloud: LocalPartition, region = cloud.region): Promise<Place> {
  const kms = new KMSClient({ ...clientConfig(cloud), region });
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  kms.destroy();
  const { partition, accountId } = cloud;
  return { partition, region, accountId, kmsKeyArn: `arn:${partition}:kms:${region}:${accountId}:key/${KeyMetadata?.KeyId}` };
}
