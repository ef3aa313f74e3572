/**
 * The settings of each function as its environment will hold them, with the longest text for each value that is known only while deploying. The
 * types are those of the environment: a new setting of a function does not compile until it is here.
 */
import type {
  AllowedSources,
  AuthConfig,
  CopierConfig,
  DispatcherConfig,
  NotifierConfig,
  ProberConfig,
  PusherConfig,
  ReceiverConfig,
  Role,
  RoleConfig,
  SenderConfig,
  StoreConfig,
} from "../../runtime/protocol/env";
import { type Cloud, isAws } from "./clouds";
import { defaultUrlExpirySeconds, isPull, modeOf, probePrefixOf } from "./defaults";
import { SIDES } from "./define-rule";
import type { LenientConfig } from "./schema";

type SideName = (typeof SIDES)[number];

const longest = (characters: number): string => "x".repeat(characters);
const LONGEST_NAME = longest(32);
const LONGEST_BUCKET = longest(63);
const LONGEST_REGION = longest(24);
const LONGEST_DOMAIN_LABEL = longest(63);
const PRINCIPAL = longest(64);
const API_ID = longest(10);
/** A share of a rate, such as 3.3333333333333335. */
const LONGEST_SHARE = 100 / 3;
/** The settings of a prober have its function's time limit, which is the same for every bridge. */
const PROBER_SECONDS = 900;

/** One side. What the configuration does not say has its longest form. */
interface Side {
  cloud: Cloud;
  region: string;
  bucket: string;
  account: string;
  customDomain: string | undefined;
  storageClass: string | undefined;
  kmsKeyArn: string | undefined;
  kmsKeyId: string | undefined;
}

function sideOf(config: LenientConfig, name: SideName): Side {
  const side = config[name];
  const cloud = side?.cloud ?? "alicloud";
  return {
    cloud,
    region: side?.region ?? LONGEST_REGION,
    bucket: side?.bucket ?? LONGEST_BUCKET,
    account: side?.accountId ?? longest(isAws(cloud) ? 12 : 16),
    customDomain: side?.customDomain,
    storageClass: name === "destination" ? config.destination?.storageClass : undefined,
    kmsKeyArn: side?.kmsKeyArn,
    kmsKeyId: side?.kmsKeyId,
  };
}

interface Bridge {
  config: LenientConfig;
  name: string;
  source: Side;
  destination: Side;
}

const physicalName = ({ name }: Bridge, part: string): string => `crossborderbridge-${name}-${part}`;

function queueUrl(bridge: Bridge, part: string): string {
  const { cloud, region, account } = bridge.source;
  const host = isAws(cloud) ? `sqs.${region}.amazonaws.com.cn/${account}` : `${account}.mns.${region}.aliyuncs.com/queues`;
  return `https://${host}/${physicalName(bridge, part)}`;
}

const receiverUrl = ({ destination: { cloud, region } }: Bridge): string =>
  isAws(cloud)
    ? `https://${API_ID}.execute-api.${region}.amazonaws.com.cn/v1/notices`
    : `https://${LONGEST_DOMAIN_LABEL}.${region}.fcapp.run`;

/** @param reach what is done from outside the region of a bucket of OSS */
function storeOf(side: Side, reach: "nothing" | "data" | "urls" = "nothing"): StoreConfig {
  const { cloud, bucket, region, storageClass, kmsKeyArn, kmsKeyId, customDomain } = side;
  const chosen = storageClass === undefined ? {} : { storageClass };
  if (isAws(cloud)) return { kind: "s3", bucket, region, ...(kmsKeyArn === undefined ? {} : { kmsKeyArn }), ...chosen };
  const outside = customDomain === undefined ? "accelerate-overseas" : { customDomain };
  return {
    kind: "oss",
    bucket,
    region,
    versioned: false,
    network: reach === "data" ? outside : "internal",
    ...(reach === "urls" ? { presignNetwork: outside } : {}),
    ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
    ...chosen,
  };
}

function allowedSources({ source: { cloud, bucket, region, customDomain } }: Bridge): AllowedSources {
  const host = isAws(cloud) ? `s3.${region}.amazonaws.com.cn` : "oss-accelerate-overseas.aliyuncs.com";
  return [{ origin: `https://${customDomain ?? `${bucket}.${host}`}`, pathPrefix: "/" }];
}

function auth({ config, name, destination }: Bridge, side: SideName): AuthConfig {
  const parameter = config.auth.tokenParameter ?? `/crossborderbridge/${name}/${side}/token`;
  if (config.auth.kind === "token") return { kind: "token", parameter };
  const invoker = side === "source" ? { invokerParameter: `/crossborderbridge/${name}/source/invoker` } : {};
  return { kind: "iam", parameter, ...invoker, region: destination.region };
}

const identity = ({ config, name, source, destination }: Bridge) => ({
  bridgeId: name,
  sourceId: `${source.cloud}:${source.bucket}`,
  destinationId: `${destination.cloud}:${destination.bucket}`,
  logLevel: config.logLevel,
});

const sender = (bridge: Bridge): SenderConfig => ({
  ...identity(bridge),
  source: storeOf(bridge.source, "urls"),
  scope: bridge.config.scope,
  deletes: bridge.config.deletes,
  statusTags: bridge.config.statusTags,
  ...(isAws(bridge.source.cloud) ? { ownPrincipal: PRINCIPAL } : {}),
  queueUrl: queueUrl(bridge, "queue"),
  outageQueueUrl: queueUrl(bridge, "outage"),
  deadLetterUrl: queueUrl(bridge, "dead-letters"),
  receiverUrl: receiverUrl(bridge),
  auth: auth(bridge, "source"),
  urlExpiresInSeconds: bridge.config.timeouts.urlExpirySeconds ?? defaultUrlExpirySeconds(bridge.config.copy.timeoutSeconds),
  receiverTimeoutSeconds: bridge.config.timeouts.receiverSeconds,
  inlineLimitBytes: bridge.config.inlineLimitBytes,
  maxAttempts: bridge.config.maxAttempts,
  giveUpAfterSeconds: bridge.config.giveUpAfterHours * 3600,
});

const destinationOf = (bridge: Bridge) => ({
  ...identity(bridge),
  destination: storeOf(bridge.destination),
  destinationPrefix: bridge.config.destination?.prefix ?? "",
  ...(isAws(bridge.destination.cloud) ? {} : { controlBucket: LONGEST_BUCKET }),
});

const receiver = (bridge: Bridge): ReceiverConfig => ({
  ...destinationOf(bridge),
  allowedSources: allowedSources(bridge),
  auth: auth(bridge, "destination"),
  inlineLimitBytes: bridge.config.inlineLimitBytes,
  timeoutSeconds: bridge.config.timeouts.receiverSeconds,
  copier: { functionName: physicalName(bridge, "copier"), timeoutSeconds: bridge.config.copy.timeoutSeconds },
  copiesAtOnce: bridge.config.copy.concurrency,
  // In AWS the policy of the endpoint has the allowlist, and the endpoint counts requests.
  ...(isAws(bridge.destination.cloud)
    ? { allowedCidrs: [] }
    : {
        allowedCidrs: bridge.config.allowedCidrs,
        rateLimit: { requestsPerSecond: LONGEST_SHARE, burst: LONGEST_SHARE },
      }),
});

const copier = (bridge: Bridge): CopierConfig => ({
  ...destinationOf(bridge),
  allowedSources: allowedSources(bridge),
  timeoutSeconds: bridge.config.copy.timeoutSeconds,
  partSizeBytes: bridge.config.copy.partSizeBytes,
  partsAtOnce: bridge.config.copy.partsAtOnce,
});

const dispatcher = (bridge: Bridge): DispatcherConfig => ({
  ...identity(bridge),
  source: storeOf(bridge.source),
  scope: bridge.config.scope,
  deletes: bridge.config.deletes,
  flowName: physicalName(bridge, "flow"),
  queueUrl: queueUrl(bridge, "queue"),
  deadLetterUrl: queueUrl(bridge, "dead-letters"),
  giveUpAfterSeconds: bridge.config.giveUpAfterHours * 3600,
});

const pusher = (bridge: Bridge): PusherConfig => ({
  ...destinationOf(bridge),
  destination: storeOf(bridge.destination, "data"),
  source: storeOf(bridge.source),
  scope: bridge.config.scope,
  deletes: bridge.config.deletes,
  statusTags: bridge.config.statusTags,
  inlineLimitBytes: bridge.config.inlineLimitBytes,
  inlineTimeoutSeconds: bridge.config.timeouts.receiverSeconds,
  timeoutSeconds: bridge.config.copy.timeoutSeconds,
  partSizeBytes: bridge.config.copy.partSizeBytes,
  partsAtOnce: bridge.config.copy.partsAtOnce,
  copiesAtOnce: bridge.config.copy.concurrency,
  queueUrl: queueUrl(bridge, "queue"),
  outageQueueUrl: queueUrl(bridge, "outage"),
  dispatcherFunctionName: physicalName(bridge, "dispatcher"),
  deadLetterUrl: queueUrl(bridge, "dead-letters"),
  maxAttempts: bridge.config.maxAttempts,
  giveUpAfterSeconds: bridge.config.giveUpAfterHours * 3600,
});

function prober(bridge: Bridge, side: SideName): ProberConfig {
  const { scope, probe, destination } = bridge.config;
  const { everyMinutes, sizeBytes, giveUpAfterSeconds } = probe;
  return {
    ...identity(bridge),
    side,
    store: storeOf(bridge[side]),
    keyPrefix: side === "destination" ? (destination?.prefix ?? "") : "",
    probePrefix: probePrefixOf(scope),
    suffix: scope.suffixes[0] ?? "",
    tags: scope.tags,
    canary: { everyMinutes, sizeBytes, puts: false, watches: false, giveUpAfterSeconds },
    timeoutSeconds: PROBER_SECONDS,
  };
}

const notifier = ({ config, name }: Bridge): NotifierConfig => ({
  bridgeId: name,
  logLevel: config.logLevel,
  format: config.alarmWebhookFormat,
  ownAlarm: `crossborderbridge-${name}-webhook-fails`,
  parameter: `/crossborderbridge/${name}/source/webhook`,
});

export interface FunctionSettings {
  role: Role;
  cloud: Cloud;
  settings: RoleConfig<Role>;
}

/** The functions of a bridge whose clouds the configuration names. */
export function functionSettings(config: LenientConfig): FunctionSettings[] {
  const { source: from, destination: to } = config;
  const bridge: Bridge = {
    config,
    name: config.name ?? LONGEST_NAME,
    source: sideOf(config, "source"),
    destination: sideOf(config, "destination"),
  };
  const found: FunctionSettings[] = [];
  const add = (role: Role, cloud: Cloud | undefined, settings: RoleConfig<Role>) => {
    if (cloud !== undefined) found.push({ role, cloud, settings });
  };
  if (isPull(config)) {
    add("sender", from?.cloud, sender(bridge));
    add("receiver", to?.cloud, receiver(bridge));
    add("copier", to?.cloud, copier(bridge));
  } else if (modeOf(config) === "push") {
    add("dispatcher", from?.cloud, dispatcher(bridge));
    add("pusher", from?.cloud, pusher(bridge));
  }
  if (config.alarmWebhookUrl !== undefined && isAws(from?.cloud)) add("notifier", from?.cloud, notifier(bridge));
  if (config.probe.enabled) for (const side of SIDES) add("prober", config[side]?.cloud, prober(bridge, side));
  return found;
}
