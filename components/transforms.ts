/** The escape hatch: one typed hook for every child, called with what would be declared, free to change it. */
import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { AlicloudTransforms } from "./alicloud/transforms";

export type Transform<Args> = (args: Args, opts: pulumi.CustomResourceOptions) => void;

/** A bucket that the bridge creates, and its settings. */
export interface BucketTransforms {
  bucket?: Transform<aws.s3.BucketArgs>;
  versioning?: Transform<aws.s3.BucketVersioningArgs>;
  publicAccessBlock?: Transform<aws.s3.BucketPublicAccessBlockArgs>;
  encryption?: Transform<aws.s3.BucketServerSideEncryptionConfigurationArgs>;
  ownership?: Transform<aws.s3.BucketOwnershipControlsArgs>;
  policy?: Transform<aws.s3.BucketPolicyArgs>;
  lifecycle?: Transform<aws.s3.BucketLifecycleConfigurationArgs>;
}

/** One function and what belongs to it. */
export interface FunctionTransforms {
  role?: Transform<aws.iam.RoleArgs>;
  rolePolicy?: Transform<aws.iam.RolePolicyArgs>;
  networkPolicy?: Transform<aws.iam.RolePolicyAttachmentArgs>;
  logGroup?: Transform<aws.cloudwatch.LogGroupArgs>;
  function?: Transform<aws.lambda.FunctionArgs>;
  /** How asynchronous invocations of it are retried: the copier always, the sender with `buffer: none`. */
  invocations?: Transform<aws.lambda.FunctionEventInvokeConfigArgs>;
}

/** From the bucket's events to the sender. */
export interface TriggerTransforms {
  queue?: Transform<aws.sqs.QueueArgs>;
  queuePolicy?: Transform<aws.sqs.QueuePolicyArgs>;
  deadLetterQueue?: Transform<aws.sqs.QueueArgs>;
  eventSourceMapping?: Transform<aws.lambda.EventSourceMappingArgs>;
  permission?: Transform<aws.lambda.PermissionArgs>;
  notification?: Transform<aws.s3.BucketNotificationArgs>;
  deadLetterAlarm?: Transform<aws.cloudwatch.MetricAlarmArgs>;
  ageAlarm?: Transform<aws.cloudwatch.MetricAlarmArgs>;
}

/** The receiver's REST API. */
export interface EndpointTransforms {
  restApi?: Transform<aws.apigateway.RestApiArgs>;
  policy?: Transform<aws.apigateway.RestApiPolicyArgs>;
  resource?: Transform<aws.apigateway.ResourceArgs>;
  method?: Transform<aws.apigateway.MethodArgs>;
  integration?: Transform<aws.apigateway.IntegrationArgs>;
  deployment?: Transform<aws.apigateway.DeploymentArgs>;
  stage?: Transform<aws.apigateway.StageArgs>;
  methodSettings?: Transform<aws.apigateway.MethodSettingsArgs>;
  permission?: Transform<aws.lambda.PermissionArgs>;
}

/** The signing secrets at both ends, and with `auth: iam` the invoke-only user and its key. */
export interface SecretTransforms {
  sourceToken?: Transform<aws.ssm.ParameterArgs>;
  destinationToken?: Transform<aws.ssm.ParameterArgs>;
  sourceInvoker?: Transform<aws.ssm.ParameterArgs>;
  invokerUser?: Transform<aws.iam.UserArgs>;
  invokerPolicy?: Transform<aws.iam.UserPolicyArgs>;
  invokerKey?: Transform<aws.iam.AccessKeyArgs>;
}

/** One of the two halves of the sender's network. */
export interface SubnetTransforms {
  subnet?: Transform<aws.ec2.SubnetArgs>;
  routeTable?: Transform<aws.ec2.RouteTableArgs>;
  route?: Transform<aws.ec2.RouteArgs>;
  association?: Transform<aws.ec2.RouteTableAssociationArgs>;
}

/** With `egress: static`. */
export interface EgressTransforms {
  vpc?: Transform<aws.ec2.VpcArgs>;
  internetGateway?: Transform<aws.ec2.InternetGatewayArgs>;
  public?: SubnetTransforms;
  private?: SubnetTransforms;
  elasticIp?: Transform<aws.ec2.EipArgs>;
  natGateway?: Transform<aws.ec2.NatGatewayArgs>;
  securityGroup?: Transform<aws.ec2.SecurityGroupArgs>;
  egressRule?: Transform<aws.vpc.SecurityGroupEgressRuleArgs>;
}

/** The latency probe on one side. */
export interface ProberTransforms extends FunctionTransforms {
  schedule?: Transform<aws.cloudwatch.EventRuleArgs>;
  target?: Transform<aws.cloudwatch.EventTargetArgs>;
  permission?: Transform<aws.lambda.PermissionArgs>;
  lagAlarm?: Transform<aws.cloudwatch.MetricAlarmArgs>;
  gaveUpAlarm?: Transform<aws.cloudwatch.MetricAlarmArgs>;
}

/** S3's own replication, in one direction. */
export interface ReplicationTransforms {
  role?: Transform<aws.iam.RoleArgs>;
  rolePolicy?: Transform<aws.iam.RolePolicyArgs>;
  configuration?: Transform<aws.s3.BucketReplicationConfigArgs>;
  /** With `metrics`, as the other one: one for each rule. */
  lagAlarm?: Transform<aws.cloudwatch.MetricAlarmArgs>;
  failureAlarm?: Transform<aws.cloudwatch.MetricAlarmArgs>;
}

export interface TwoWayTransforms {
  forward?: ReplicationTransforms;
  backward?: ReplicationTransforms;
}

/** Mode `native` in AWS: from the source to the destination is `forward`. */
export interface NativeTransforms extends TwoWayTransforms {
  backfillRole?: Transform<aws.iam.RoleArgs>;
  backfillRolePolicy?: Transform<aws.iam.RolePolicyArgs>;
}

export interface BridgeTransforms {
  source?: BucketTransforms;
  destination?: BucketTransforms;
  sender?: FunctionTransforms;
  receiver?: FunctionTransforms;
  copier?: FunctionTransforms;
  trigger?: TriggerTransforms;
  endpoint?: EndpointTransforms;
  secrets?: SecretTransforms;
  egress?: EgressTransforms;
  replication?: NativeTransforms;
  prober?: { source?: ProberTransforms; destination?: ProberTransforms };
  /** Of children in Alibaba Cloud; the others are those in AWS. */
  alicloud?: AlicloudTransforms;
}

/** Declares a child after its transform has had its say. */
export function make<Args extends object, R>(
  type: new (name: string, args: Args, opts?: pulumi.CustomResourceOptions) => R,
  name: string,
  args: Args,
  opts: pulumi.CustomResourceOptions,
  transform: Transform<Args> | undefined,
): R {
  // A hook may write to what it is given; the caller's options are shared between children.
  const own = { ...opts };
  transform?.(args, own);
  return new type(name, args, own);
}
