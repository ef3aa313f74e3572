import type { AwsContext } from "./context";
import { PARTITION_FACTS } from "./partitions";

/** `127.0.0.1:PORT` of the local partition. */
function localHost(context: AwsContext): string | undefined {
  return context.cloud === undefined ? undefined : new URL(context.cloud.partition.endpoint).host;
}

/**
 * The outputs with a bucket's addresses. Locally a "domain name" is `127.0.0.1:PORT/BUCKET`, because 127.0.0.1 has no subdomains. A
 * program splits it at the first slash into host and path; on AWS the path is empty.
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

/** The URL of a stage. */
export function invokeUrl(context: AwsContext, apiId: string, stage: string): string {
  const host = localHost(context);
  return host === undefined
    ? `https://${apiId}.execute-api.${context.region}.${PARTITION_FACTS[context.partition].dnsSuffix}/${stage}`
    : `https://${host}/_aws/execute-api/${apiId}/${stage}`;
}
