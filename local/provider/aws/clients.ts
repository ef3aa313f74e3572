import { APIGatewayClient } from "@aws-sdk/client-api-gateway";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { EC2Client } from "@aws-sdk/client-ec2";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { IAMClient } from "@aws-sdk/client-iam";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { SSMClient } from "@aws-sdk/client-ssm";
import { clientConfig } from "../../aws/client-config";
import type { LocalPartition } from "../../aws/local-aws";

export type Clients = ReturnType<typeof makeClients>;

/** One client per service, as the account's root of one partition. */
export function makeClients(partition: LocalPartition, region: string) {
  const config = { ...clientConfig(partition), region };
  return {
    apigateway: new APIGatewayClient(config),
    cloudwatch: new CloudWatchClient(config),
    ec2: new EC2Client(config),
    events: new EventBridgeClient(config),
    iam: new IAMClient(config),
    lambda: new LambdaClient(config),
    logs: new CloudWatchLogsClient(config),
    s3: new S3Client(config),
    /** Follows a redirect to the region of the bucket. */
    s3Anywhere: new S3Client({ ...config, followRegionRedirects: true }),
    sns: new SNSClient(config),
    sqs: new SQSClient(config),
    ssm: new SSMClient(config),
  };
}
