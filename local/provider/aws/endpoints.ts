import type { AwsContext } from "./context";
import { PARTITION_FACTS } from "./partitions";

/** `127.0.0.1:PORT` of the local partition. */
function localHost(context: AwsContext): string | undefined {
  return context.cloud === undefined ? undefined : new URL(context.cloud.partition.endpoint).host;
}

/**
 * Where a bucket is. Locally the "domain name" carries the bucket as its path, since 127.0.0.1 has no subdomains: a program
 * that splits it at the first slash has host and path, on AWS with an empty path.
 */
export function bucketOutputs(context: AwsContext, bucket: string) {
  const host = localHost(context);
  const { dnsSuffix } = PARTITION_FACTS[context.partition];
  return {
    arn: `arn:${context.partition}:s3:::${bucket}`,
    bucketDomainName: host === undefined ? `${bucket}.s3.${dnsSuffix}` : `${host}/${bucket}`,
    bucketRegionalDomainName: host === undefined ? `${bucket}.s3.${context.region}.${dnsSuffix}` : `${host}/${bucket}`,
    bucketRegion: context.region,
    region: context.region,
  };
}

/** The URL that a stage answers at. */
export function invokeUrl(context: AwsContext, apiId: string, stage: string): string {
  const host = localHost(context);
  return host === undefined
    ? `https://${apiId}.execute-api.${context.region}.${PARTITION_FACTS[context.partition].dnsSuffix}/${stage}`
    : `https://${host}/_aws/execute-api/${apiId}/${stage}`;
}
