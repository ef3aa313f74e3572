/** What each piece of a bridge declares in Alibaba Cloud, to the letter; a variant's list is the pieces it is made of. */
import { PIECES as AWS_PIECES } from "../resource-lists";

const bucket = (name: string): string[] => [
  `alicloud:oss/bucket:Bucket ${name}`,
  `alicloud:oss/bucketHttpsConfig:BucketHttpsConfig ${name}-https`,
  `alicloud:oss/bucketPolicy:BucketPolicy ${name}-policy`,
  `alicloud:oss/bucketPublicAccessBlock:BucketPublicAccessBlock ${name}-public-access-block`,
  `alicloud:oss/bucketServerSideEncryption:BucketServerSideEncryption ${name}-encryption`,
];

const versions = (name: string): string => `alicloud:oss/bucketVersioning:BucketVersioning ${name}-versioning`;
const accelerated = (name: string): string =>
  `alicloud:oss/bucketTransferAcceleration:BucketTransferAcceleration ${name}-acceleration`;

const role = (name: string): string[] => [
  `alicloud:ram/policy:Policy ${name}-policy`,
  `alicloud:ram/role:Role ${name}-role`,
  `alicloud:ram/rolePolicyAttachment:RolePolicyAttachment ${name}-attachment`,
];

const fn = (name: string): string[] => [
  ...role(name),
  `alicloud:fc/v3Function:V3Function ${name}`,
  `crossborder:alicloud:BridgeFunction ${name}`,
];

const bounded = (name: string): string[] => [
  ...fn(name),
  `alicloud:fc/v3ConcurrencyConfig:V3ConcurrencyConfig ${name}-concurrency`,
];

const logs = (name: string): string[] => [
  `alicloud:log/project:Project ${name}-project`,
  `alicloud:log/store:Store ${name}-store`,
  `alicloud:log/storeIndex:StoreIndex ${name}-index`,
  `crossborder:alicloud:Logs ${name}`,
];

const events = [
  ...role("b-events"),
  "alicloud:cms/alarm:Alarm b-dead-letter-alarm",
  "alicloud:cms/alarm:Alarm b-events-error-alarm",
  "alicloud:fc/v3AsyncInvokeConfig:V3AsyncInvokeConfig b-events-invocations",
  "alicloud:fc/v3Trigger:V3Trigger b-events-trigger",
  "alicloud:message/serviceQueue:ServiceQueue b-dead-letters",
  "crossborder:alicloud:DeadLetters b-dead-letters",
  "crossborder:alicloud:OssEvents b-events",
];

const prober = (side: "source" | "destination"): string[] => [
  ...fn(`b-${side}-prober`),
  ...logs(`b-${side}-prober-logs`),
  `crossborder:alicloud:Prober b-${side}-prober`,
];

const control = [...bucket("b-control"), "crossborder:alicloud:ControlBucket b-control"];

export const PIECES = {
  bridge: ["crossborder:index:CrossBorderBridge b"],
  source: ["crossborder:alicloud:SourceStore b-source-store", "pulumi:providers:alicloud source"],
  destination: ["crossborder:alicloud:DestinationStore b-destination-store", "pulumi:providers:alicloud destination"],
  sourceBucket: [...bucket("b-source"), versions("b-source")],
  destinationBucket: [...bucket("b-destination"), versions("b-destination")],
  sourceAcceleration: [accelerated("b-source")],
  destinationAcceleration: [accelerated("b-destination")],
  trigger: [...bounded("b-sender"), ...logs("b-source-logs"), ...events, "crossborder:alicloud:Trigger b-trigger"],
  receiver: [
    ...bounded("b-receiver"),
    ...fn("b-copier"),
    ...logs("b-destination-logs"),
    ...control,
    "alicloud:fc/v3AsyncInvokeConfig:V3AsyncInvokeConfig b-copier-invocations",
    "alicloud:fc/v3Trigger:V3Trigger b-receiver-endpoint",
    "crossborder:alicloud:Copier b-copier",
    "crossborder:alicloud:Receiver b-receiver",
  ],
  push: [
    ...bounded("b-dispatcher"),
    ...bounded("b-pusher"),
    ...logs("b-source-logs"),
    ...events,
    ...control,
    ...role("b-flow"),
    "alicloud:cms/alarm:Alarm b-flow-alarm",
    "alicloud:fnf/flow:Flow b-flow",
    "crossborder:alicloud:Push b-push",
    "crossborder:alicloud:ReplicationFlow b-flow",
  ],
  native: [
    ...role("b-replication"),
    "alicloud:oss/bucketReplication:BucketReplication b-replication",
    "crossborder:alicloud:NativeReplication b-replication",
  ],
  probe: ["crossborder:index:LatencyProbe b-probe"],
  sourceProber: prober("source"),
  destinationProber: prober("destination"),
  sourceSchedule: ["alicloud:fc/v3Trigger:V3Trigger b-source-prober-schedule"],
  destinationSchedule: ["alicloud:fc/v3Trigger:V3Trigger b-destination-prober-schedule"],
  destinationProbeAlarms: [
    "alicloud:cms/alarm:Alarm b-destination-prober-error-alarm",
    "alicloud:cms/alarm:Alarm b-destination-prober-late-alarm",
  ],
  sourceToken: ["alicloud:oos/secretParameter:SecretParameter b-source-token"],
  destinationToken: ["alicloud:oos/secretParameter:SecretParameter b-destination-token"],
  sourceInvoker: ["alicloud:oos/secretParameter:SecretParameter b-source-invoker"],
  awsSource: [
    "crossborder:aws:SourceStore b-source-store",
    "pulumi:providers:aws source",
    "aws:ssm/parameter:Parameter b-source-token",
    ...AWS_PIECES.sourceBucket,
    ...AWS_PIECES.sourceNotification,
    ...AWS_PIECES.trigger,
    ...AWS_PIECES.queue,
  ],
  awsDestination: [
    "crossborder:aws:DestinationStore b-destination-store",
    "pulumi:providers:aws destination",
    "aws:ssm/parameter:Parameter b-destination-token",
    ...AWS_PIECES.destinationBucket,
    ...AWS_PIECES.receiver,
  ],
  awsInvoker: [
    "aws:iam/accessKey:AccessKey b-receiver-invoker-key",
    "aws:iam/user:User b-receiver-invoker",
    "aws:iam/userPolicy:UserPolicy b-receiver-invoker-policy",
  ],
} as const;

export type Piece = keyof typeof PIECES;

export const OSS_SOURCE_PIECES: readonly Piece[] = ["source", "sourceBucket", "trigger", "sourceToken"];
export const OSS_DESTINATION_PIECES: readonly Piece[] = ["destination", "destinationBucket", "receiver", "destinationToken"];
export const PUSH_PIECES: readonly Piece[] = [
  "source",
  "sourceBucket",
  "destination",
  "destinationBucket",
  "destinationAcceleration",
  "push",
];

export const listOf = (...pieces: readonly Piece[]): string[] =>
  (["bridge", ...pieces] as const).flatMap((piece) => [...PIECES[piece]]).sort();
