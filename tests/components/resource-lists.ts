/** What each piece of a bridge declares, to the letter; a variant's list is the pieces it is made of. */

const bucket = (name: string): string[] => [
  `aws:s3/bucket:Bucket ${name}`,
  `aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration ${name}-lifecycle`,
  `aws:s3/bucketOwnershipControls:BucketOwnershipControls ${name}-ownership`,
  `aws:s3/bucketPolicy:BucketPolicy ${name}-policy`,
  `aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock ${name}-public-access-block`,
  `aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration ${name}-encryption`,
  `aws:s3/bucketVersioning:BucketVersioning ${name}-versioning`,
];

const fn = (name: string): string[] => [
  `aws:cloudwatch/logGroup:LogGroup ${name}-log`,
  `aws:iam/role:Role ${name}-role`,
  `aws:iam/rolePolicy:RolePolicy ${name}-policy`,
  `aws:lambda/function:Function ${name}`,
  `crossborder:aws:BridgeFunction ${name}`,
];

const prober = (side: "source" | "destination"): string[] => [
  ...fn(`b-${side}-prober`),
  `crossborder:aws:Prober b-${side}-prober`,
];

const schedule = (side: "source" | "destination"): string[] => [
  `aws:cloudwatch/eventRule:EventRule b-${side}-prober-schedule`,
  `aws:cloudwatch/eventTarget:EventTarget b-${side}-prober-target`,
  `aws:lambda/permission:Permission b-${side}-prober-permission`,
];

const probeAlarms = (side: "source" | "destination"): string[] => [
  `aws:cloudwatch/metricAlarm:MetricAlarm b-${side}-prober-gave-up-alarm`,
  `aws:cloudwatch/metricAlarm:MetricAlarm b-${side}-prober-lag-alarm`,
];

export const PIECES = {
  frame: [
    "crossborder:aws:DestinationStore b-destination-store",
    "crossborder:aws:SourceStore b-source-store",
    "crossborder:index:CrossBorderBridge b",
    "pulumi:providers:aws destination",
    "pulumi:providers:aws source",
  ],
  sourceBucket: bucket("b-source"),
  sourceNotification: ["aws:s3/bucketNotification:BucketNotification b-trigger-notification"],
  destinationBucket: bucket("b-destination"),
  receiver: [
    ...fn("b-receiver"),
    "crossborder:aws:Receiver b-receiver",
    "crossborder:aws:Endpoint b-receiver-endpoint",
    "aws:apigateway/deployment:Deployment b-receiver-endpoint-deployment",
    "aws:apigateway/integration:Integration b-receiver-endpoint-integration",
    "aws:apigateway/method:Method b-receiver-endpoint-method",
    "aws:apigateway/methodSettings:MethodSettings b-receiver-endpoint-throttling",
    "aws:apigateway/resource:Resource b-receiver-endpoint-notices",
    "aws:apigateway/restApi:RestApi b-receiver-endpoint-api",
    "aws:apigateway/restApiPolicy:RestApiPolicy b-receiver-endpoint-policy",
    "aws:apigateway/stage:Stage b-receiver-endpoint-stage",
    "aws:lambda/permission:Permission b-receiver-endpoint-permission",
    ...fn("b-copier"),
    "crossborder:aws:Copier b-copier",
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig b-copier-invocations",
  ],
  trigger: [
    ...fn("b-sender"),
    "crossborder:aws:Trigger b-trigger",
    "aws:sqs/queue:Queue b-dead-letters",
    "aws:cloudwatch/metricAlarm:MetricAlarm b-dead-letter-alarm",
  ],
  queue: [
    "aws:sqs/queue:Queue b-queue",
    "aws:sqs/queuePolicy:QueuePolicy b-queue-policy",
    "aws:lambda/eventSourceMapping:EventSourceMapping b-mapping",
    "aws:cloudwatch/metricAlarm:MetricAlarm b-age-alarm",
  ],
  direct: [
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig b-trigger-invocations",
    "aws:lambda/permission:Permission b-trigger-permission",
  ],
  ownToken: ["aws:ssm/parameter:Parameter b-destination-token", "aws:ssm/parameter:Parameter b-source-token"],
  iam: [
    "aws:iam/accessKey:AccessKey b-receiver-invoker-key",
    "aws:iam/user:User b-receiver-invoker",
    "aws:iam/userPolicy:UserPolicy b-receiver-invoker-policy",
    "aws:ssm/parameter:Parameter b-source-invoker",
  ],
  probe: ["crossborder:index:LatencyProbe b-probe"],
  sourceProber: prober("source"),
  destinationProber: prober("destination"),
  sourceSchedule: schedule("source"),
  destinationSchedule: schedule("destination"),
  sourceProbeAlarms: probeAlarms("source"),
  destinationProbeAlarms: probeAlarms("destination"),
  egress: [
    "crossborder:aws:StaticEgress b-egress",
    "aws:ec2/eip:Eip b-egress-address",
    "aws:ec2/internetGateway:InternetGateway b-egress-internet",
    "aws:ec2/natGateway:NatGateway b-egress-gateway",
    "aws:ec2/route:Route b-egress-private-way-out",
    "aws:ec2/route:Route b-egress-public-way-out",
    "aws:ec2/routeTable:RouteTable b-egress-private-routes",
    "aws:ec2/routeTable:RouteTable b-egress-public-routes",
    "aws:ec2/routeTableAssociation:RouteTableAssociation b-egress-private-association",
    "aws:ec2/routeTableAssociation:RouteTableAssociation b-egress-public-association",
    "aws:ec2/securityGroup:SecurityGroup b-egress-group",
    "aws:ec2/subnet:Subnet b-egress-private",
    "aws:ec2/subnet:Subnet b-egress-public",
    "aws:ec2/vpc:Vpc b-egress-vpc",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment b-sender-network",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule b-egress-https",
  ],
} as const;

export type Piece = keyof typeof PIECES;

export const DEFAULT_PIECES: readonly Piece[] = [
  "frame",
  "sourceBucket",
  "sourceNotification",
  "destinationBucket",
  "receiver",
  "trigger",
  "queue",
  "ownToken",
];

export function listOf(change: { with?: readonly Piece[]; without?: readonly Piece[] } = {}): string[] {
  const pieces = [...DEFAULT_PIECES, ...(change.with ?? [])].filter((piece) => !change.without?.includes(piece));
  return pieces.flatMap((piece) => [...PIECES[piece]]).sort();
}

/** Mode native, inside one partition of AWS. */
export const NATIVE_PIECES = {
  frame: PIECES.frame,
  sourceBucket: PIECES.sourceBucket,
  destinationBucket: PIECES.destinationBucket,
  replication: direction("b-replication"),
  back: ["crossborder:index:TwoWayReplication b-replication", ...direction("b-replication-back")],
  alarms: ruleAlarms("b-replication"),
  backAlarms: ruleAlarms("b-replication-back"),
  backfill: [
    "aws:iam/role:Role b-backfill-role",
    "aws:iam/rolePolicy:RolePolicy b-backfill-policy",
    "crossborder:aws:BackfillRole b-backfill",
  ],
} as const;

export type NativePiece = keyof typeof NATIVE_PIECES;

function direction(name: string): string[] {
  return [
    `aws:iam/role:Role ${name}-role`,
    `aws:iam/rolePolicy:RolePolicy ${name}-policy`,
    `aws:s3/bucketReplicationConfig:BucketReplicationConfig ${name}`,
    `crossborder:index:NativeReplication ${name}`,
  ];
}

function ruleAlarms(name: string): string[] {
  return ["failure", "lag"].map((what) => `aws:cloudwatch/metricAlarm:MetricAlarm ${name}-1-${what}-alarm`);
}

export function listNativeOf(change: { with?: readonly NativePiece[]; without?: readonly NativePiece[] } = {}): string[] {
  const least: NativePiece[] = ["frame", "sourceBucket", "destinationBucket", "replication"];
  const pieces = [...least, ...(change.with ?? [])].filter((piece) => !change.without?.includes(piece));
  return pieces.flatMap((piece) => [...NATIVE_PIECES[piece]]).sort();
}
