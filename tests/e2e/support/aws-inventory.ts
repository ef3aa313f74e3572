/** Lists what is in a local partition of AWS, in every service that a bridge uses. */
import { APIGatewayClient, GetRestApisCommand } from "@aws-sdk/client-api-gateway";
import { CloudWatchClient, DescribeAlarmsCommand, ListDashboardsCommand } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DescribeAddressesCommand, DescribeVpcsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient, ListPoliciesCommand, ListRolesCommand, ListUsersCommand } from "@aws-sdk/client-iam";
import { LambdaClient, ListEventSourceMappingsCommand, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { ListTopicsCommand, SNSClient } from "@aws-sdk/client-sns";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { DescribeParametersCommand, SSMClient } from "@aws-sdk/client-ssm";
import { clientConfig } from "../../../local/aws/client-config";
import type { LocalPartition } from "../../../local/aws/local-aws";

/** Names by kind of resource. */
export type Inventory = Record<string, (string | undefined)[]>;

/** @param region of the services that have regions @default the region of the emulator */
export async function inventory(partition: LocalPartition, region = partition.region): Promise<Inventory> {
  const cloud = { ...partition, region };
  const { Buckets = [] } = await using(S3Client, cloud, (client) => client.send(new ListBucketsCommand({})));
  const { Functions = [] } = await using(LambdaClient, cloud, (client) => client.send(new ListFunctionsCommand({})));
  const { EventSourceMappings = [] } = await using(LambdaClient, cloud, (client) =>
    client.send(new ListEventSourceMappingsCommand({})),
  );
  const { QueueUrls = [] } = await using(SQSClient, cloud, (client) => client.send(new ListQueuesCommand({})));
  const { Roles = [] } = await using(IAMClient, cloud, (client) => client.send(new ListRolesCommand({})));
  const { Users = [] } = await using(IAMClient, cloud, (client) => client.send(new ListUsersCommand({})));
  const { Policies = [] } = await using(IAMClient, cloud, (client) => client.send(new ListPoliciesCommand({ Scope: "Local" })));
  const { items: apis = [] } = await using(APIGatewayClient, cloud, (client) => client.send(new GetRestApisCommand({})));
  const { logGroups = [] } = await using(CloudWatchLogsClient, cloud, (client) => client.send(new DescribeLogGroupsCommand({})));
  const { Parameters = [] } = await using(SSMClient, cloud, (client) => client.send(new DescribeParametersCommand({})));
  const { MetricAlarms = [] } = await using(CloudWatchClient, cloud, (client) => client.send(new DescribeAlarmsCommand({})));
  const { DashboardEntries = [] } = await using(CloudWatchClient, cloud, (client) => client.send(new ListDashboardsCommand({})));
  const { Topics = [] } = await using(SNSClient, cloud, (client) => client.send(new ListTopicsCommand({})));
  const { Vpcs = [] } = await using(EC2Client, cloud, (client) => client.send(new DescribeVpcsCommand({})));
  const { Addresses = [] } = await using(EC2Client, cloud, (client) => client.send(new DescribeAddressesCommand({})));
  return {
    buckets: Buckets.map(({ Name }) => Name),
    functions: Functions.map(({ FunctionName }) => FunctionName),
    eventSourceMappings: EventSourceMappings.map(({ UUID }) => UUID),
    queues: QueueUrls,
    roles: Roles.map(({ RoleName }) => RoleName),
    users: Users.map(({ UserName }) => UserName),
    policies: Policies.map(({ PolicyName }) => PolicyName),
    apis: apis.map(({ name }) => name),
    logGroups: logGroups.map(({ logGroupName }) => logGroupName),
    parameters: Parameters.map(({ Name }) => Name),
    alarms: MetricAlarms.map(({ AlarmName }) => AlarmName),
    dashboards: DashboardEntries.map(({ DashboardName }) => DashboardName),
    topics: Topics.map(({ TopicArn }) => TopicArn),
    networks: Vpcs.map(({ VpcId }) => VpcId),
    addresses: Addresses.map(({ PublicIp }) => PublicIp),
  };
}

/** Makes one call with its own client. */
export async function using<Client extends { destroy(): void }, Output>(
  type: new (config: ReturnType<typeof clientConfig>) => Client,
  cloud: Pick<LocalPartition, "endpoint" | "region" | "caPath" | "credentials">,
  call: (client: Client) => Promise<Output>,
): Promise<Output> {
  const client = new type(clientConfig(cloud));
  try {
    return await call(client);
  } finally {
    client.destroy();
  }
}
