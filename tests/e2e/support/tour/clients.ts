/** The vendor's clients on the clouds of a running `npm start`, with the access that its operator's file has. */
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SSMClient } from "@aws-sdk/client-ssm";
import { clientConfig } from "../../../../local/aws/client-config";
import { readRunning } from "../../../../local/cli/operator-file";
import type { TestEnd } from "../stack";

export interface TourClients {
  source: Pick<TestEnd, "bucket" | "prefix" | "s3">;
  destination: Pick<TestEnd, "bucket" | "prefix" | "s3">;
  /** Of the destination. */
  lambda: LambdaClient;
  ssm: SSMClient;
  /** Of the source. */
  cloudwatch: CloudWatchClient;
  /** Every line of the sender's log. */
  senderLog(): Promise<string[]>;
  close(): void;
}

interface Access {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
}

interface OperatorFile {
  caFile: string;
  clouds: { aws: Access; "aws-cn": Access };
  outputs: { sourceBucket: string; destinationBucket: string; senderFunctionName: string };
}

export async function openTourClients(stack: string): Promise<TourClients> {
  const file = (await readRunning(stack)) as (OperatorFile & { pid: number }) | undefined;
  if (file === undefined) throw new Error(`the stack ${stack} does not run`);
  const { caFile, clouds, outputs } = file;
  const configOf = ({ endpoint, ...credentials }: Access, region: string) =>
    clientConfig({ endpoint, region, caPath: caFile, credentials });
  const [from, to] = [configOf(clouds.aws, "us-east-1"), configOf(clouds["aws-cn"], "cn-north-1")];
  const logs = new CloudWatchLogsClient(from);
  const source = { bucket: outputs.sourceBucket, prefix: "", s3: new S3Client(from) };
  const destination = { bucket: outputs.destinationBucket, prefix: "", s3: new S3Client(to) };
  const [lambda, ssm, cloudwatch] = [new LambdaClient(to), new SSMClient(to), new CloudWatchClient(from)];
  return {
    ...{ source, destination, lambda, ssm, cloudwatch },
    async senderLog() {
      const lines: string[] = [];
      let nextToken: string | undefined;
      do {
        const logGroupName = `/aws/lambda/${outputs.senderFunctionName}`;
        const page = await logs.send(new FilterLogEventsCommand({ logGroupName, nextToken }));
        for (const { message = "" } of page.events ?? []) lines.push(...message.split("\n"));
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      return lines;
    },
    close() {
      for (const client of [logs, source.s3, destination.s3, lambda, ssm, cloudwatch]) client.destroy();
    },
  };
}
