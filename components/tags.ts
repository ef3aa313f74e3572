/** The tags of the bridge's resources. */
import type { BridgeSettings } from "./config/settings";
import type { Transform } from "./transforms";

/** The types among the bridge's resources that can have tags. Event source mappings in AWS China cannot, so they are left out everywhere. */
export const TAGGABLE: ReadonlySet<string> = new Set([
  "alicloud:cms/alarm:Alarm",
  "alicloud:fc/v3Function:V3Function",
  "alicloud:log/project:Project",
  "alicloud:message/serviceQueue:ServiceQueue",
  "alicloud:oos/secretParameter:SecretParameter",
  "alicloud:oss/bucket:Bucket",
  "alicloud:ram/policy:Policy",
  "alicloud:ram/role:Role",
  "aws:apigateway/restApi:RestApi",
  "aws:apigateway/stage:Stage",
  "aws:cloudwatch/eventRule:EventRule",
  "aws:cloudwatch/logGroup:LogGroup",
  "aws:cloudwatch/metricAlarm:MetricAlarm",
  "aws:ec2/eip:Eip",
  "aws:ec2/internetGateway:InternetGateway",
  "aws:ec2/natGateway:NatGateway",
  "aws:ec2/routeTable:RouteTable",
  "aws:ec2/securityGroup:SecurityGroup",
  "aws:ec2/subnet:Subnet",
  "aws:ec2/vpc:Vpc",
  "aws:iam/role:Role",
  "aws:iam/user:User",
  "aws:lambda/function:Function",
  "aws:s3/bucket:Bucket",
  "aws:sns/topic:Topic",
  "aws:sqs/queue:Queue",
  "aws:ssm/parameter:Parameter",
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
]);

/** Adds the tags to each child that can have them. Tags that the bridge itself gives stay. */
export function tagging(tags: BridgeSettings["tags"]): Transform {
  return ({ type, props, opts }) => {
    if (tags === undefined || Object.keys(tags).length === 0 || !TAGGABLE.has(type)) return undefined;
    return { props: { ...props, tags: { ...tags, ...props.tags } }, opts };
  };
}
