/**
 * The contract between a component and the function that it deploys: one environment variable with one JSON document per role.
 * A component encodes, the platform entry parses; both fail on anything unknown. Secrets appear by name only.
 */
import { asciiJson } from "./json";
import * as z from "./schema";
import { textRecord } from "./snapshot";

export const CONFIG_VARIABLE = "CROSSBORDERBRIDGE_CONFIG";

/** Limits and choices that the stack's configuration shares with this contract. */
export const BOUNDS = {
  /** API Gateway answers within 29 s. */
  receiverSeconds: { min: 1, max: 29 },
  /** A presigned URL of a function's role may end with the role's session; one hour is safe everywhere. */
  urlExpirySeconds: { min: 60, max: 3600 },
  /** Parts of a copy in memory at once. */
  partsAtOnce: { min: 1, max: 64 },
  /** Copies that run at once. */
  copiesAtOnce: { min: 1, max: 500 },
} as const;
export const DELETES = ["ignore", "replicate"] as const;
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** Formats of the messages to a webhook: JSON of the bridge's own, and the robots of DingTalk, WeCom and Lark (Feishu). */
export const WEBHOOK_FORMATS = ["json", "dingtalk", "wecom", "lark"] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

const within = ({ min, max }: { min: number; max: number }) => z.int().check(z.minimum(min), z.maximum(max));

const s3StoreSchema = z.strictObject({
  kind: z.literal("s3"),
  bucket: z.filledText,
  region: z.filledText,
  /** For data calls; the vendor's regional endpoint when absent. */
  endpoint: z.optional(z.url()),
  /** For presigned URLs that the other side reads; the data endpoint when absent. */
  presignEndpoint: z.optional(z.url()),
  storageClass: z.optional(z.filledText),
  kmsKeyArn: z.optional(z.filledText),
});

/** A host of the vendor's, or a domain of the operator's that is bound to the bucket. */
const ossNetwork = z.union([
  z.enum(["public", "internal", "accelerate", "accelerate-overseas"]),
  z.strictObject({ customDomain: z.filledText }),
]);

const ossStoreSchema = z.strictObject({
  kind: z.literal("oss"),
  bucket: z.filledText,
  region: z.filledText,
  /** Whether the bucket keeps versions. OSS supports other operations with versions than without. */
  versioned: z.boolean(),
  /** For calls about objects. */
  network: ossNetwork,
  /** For presigned URLs that the other side reads; `network` when absent. */
  presignNetwork: z.optional(ossNetwork),
  storageClass: z.optional(z.filledText),
  kmsKeyId: z.optional(z.filledText),
});

/** The location of an object store. Credentials come from the platform, never from here. `kind` selects the adapter. */
const storeConfigSchema = z.discriminatedUnion("kind", [s3StoreSchema, ossStoreSchema]);
export type StoreConfig = z.infer<typeof storeConfigSchema>;

const scopeSchema = z.strictObject({
  /** A key is in scope when it starts with one of these; empty means every key. */
  prefixes: z.array(z.string()),
  /** A key is in scope when it ends with one of these; empty means every key. */
  suffixes: z.array(z.string()),
  /** The object must have each of these tags with this value. */
  tags: textRecord({ nameCharacters: 256, valueCharacters: 512 }),
  minSizeBytes: z.count,
  maxSizeBytes: z.optional(z.count),
});
export type Scope = z.infer<typeof scopeSchema>;

/** How a sender authenticates. It holds names of secrets, never their values. */
const authConfigSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("token"),
    /** Name of the SSM SecureString (OOS secret parameter) that holds the signing secrets, newest first, separated by spaces. */
    parameter: z.filledText,
  }),
  z.strictObject({
    kind: z.literal("iam"),
    /** As for `token`: the body is signed as well. */
    parameter: z.filledText,
    /** Sender only: name of the SecureString with `{"accessKeyId","secretAccessKey"}` of the invoke-only user. */
    invokerParameter: z.optional(z.filledText),
    /** Region of the receiver's API, for the signature. */
    region: z.filledText,
  }),
]);
export type AuthConfig = z.infer<typeof authConfigSchema>;

const identity = {
  /** Names the bridge at both ends; written into the provenance of every replica. */
  bridgeId: z.string().check(z.minLength(1), z.maxLength(64)),
  /** Identity of the source store, `<cloud>:<bucket>`. */
  sourceId: z.filledText,
  /** Identity of the destination store, `<cloud>:<bucket>`. */
  destinationId: z.filledText,
  logLevel: z.enum(LOG_LEVELS),
};

const senderSchema = () =>
  z.strictObject({
    ...identity,
    source: storeConfigSchema,
    scope: scopeSchema,
    deletes: z.enum(DELETES),
    /** Tag the source object with PENDING, COMPLETED or FAILED. */
    statusTags: z.boolean(),
    /** The unique id of the sender's own role. Events of tags that it changed are dropped. Absent where events of tags do not exist. */
    ownPrincipal: z.optional(z.filledText),
    /** Keys that have to wait. With `buffer: sqs` the source's events come through it as well. */
    queueUrl: z.filledText,
    /** Keys that wait for the receiver to come back. */
    outageQueueUrl: z.filledText,
    deadLetterUrl: z.filledText,
    receiverUrl: z.url({ protocol: /^https$/ }),
    auth: authConfigSchema,
    /** Lifetime of presigned URLs; longer than a copier may run. */
    urlExpiresInSeconds: within(BOUNDS.urlExpirySeconds),
    /** Hard end of one receiver attempt. */
    receiverTimeoutSeconds: within(BOUNDS.receiverSeconds),
    /** The copier copies larger objects, so a request moves none of their bytes. */
    inlineLimitBytes: z.count,
    /** Failed attempts at one state of a key, after which the key is parked. Waits do not count. */
    maxAttempts: z.atLeastOne,
    /** A key that has waited this long is parked. */
    giveUpAfterSeconds: z.atLeastOne,
  });
export type SenderConfig = z.infer<ReturnType<typeof senderSchema>>;

/** The allowed targets of presigned URLs: exact origins, each with the path that every URL must start with. */
export const allowedSourcesSchema = z
  .array(
    z.strictObject({
      origin: z.string().check(z.regex(/^https:\/\/[^/?#@]+$/)),
      pathPrefix: z.string().check(z.startsWith("/")),
    }),
  )
  .check(z.minLength(1));
export type AllowedSources = z.infer<typeof allowedSourcesSchema>;

const destinationSide = {
  ...identity,
  destination: storeConfigSchema,
  /** Put in front of every source key. */
  destinationPrefix: z.string(),
  /** A bucket without versions, in the function's own region, that keeps the leases; absent where the destination writes conditionally. */
  controlBucket: z.optional(z.filledText),
};

const receiverSchema = () =>
  z.strictObject({
    ...destinationSide,
    allowedSources: allowedSourcesSchema,
    auth: authConfigSchema,
    /** Larger objects go to the copier. */
    inlineLimitBytes: z.count,
    /** Hard end of one attempt, the function's own timeout. */
    timeoutSeconds: within(BOUNDS.receiverSeconds),
    copier: z.strictObject({ functionName: z.filledText, timeoutSeconds: z.atLeastOne }),
    /** Copies of large objects that may run at once. */
    copiesAtOnce: within(BOUNDS.copiesAtOnce),
    /** Allowed addresses of senders, checked in code. Empty where the endpoint's own policy checks them. */
    allowedCidrs: z.array(z.string()),
    /** The rate limit of one instance, checked in code. Absent where the platform has a limit of its own. */
    rateLimit: z.optional(
      z.strictObject({ requestsPerSecond: z.number().check(z.positive()), burst: z.number().check(z.positive()) }),
    ),
  });
export type ReceiverConfig = z.infer<ReturnType<typeof receiverSchema>>;

const copierSchema = () =>
  z.strictObject({
    ...destinationSide,
    allowedSources: allowedSourcesSchema,
    /** Hard end of one run, the function's own timeout. */
    timeoutSeconds: z.atLeastOne,
    partSizeBytes: z.int().check(z.positive()),
    /** Parts in memory at once. */
    partsAtOnce: within(BOUNDS.partsAtOnce),
  });
export type CopierConfig = z.infer<ReturnType<typeof copierSchema>>;

/** Push mode: turns events of the source into workflow executions. */
const dispatcherSchema = () =>
  z.strictObject({
    ...identity,
    source: storeConfigSchema,
    scope: scopeSchema,
    deletes: z.enum(DELETES),
    /** The workflow that is started once per object. */
    flowName: z.filledText,
    /** Keys for which no execution could be started. */
    queueUrl: z.filledText,
    deadLetterUrl: z.filledText,
    /** A key that has waited this long is parked. */
    giveUpAfterSeconds: z.atLeastOne,
  });
export type DispatcherConfig = z.infer<ReturnType<typeof dispatcherSchema>>;

/** Push mode: runs the steps of a workflow execution, and reaches both stores. */
const pusherSchema = () =>
  z.strictObject({
    ...destinationSide,
    source: storeConfigSchema,
    scope: scopeSchema,
    deletes: z.enum(DELETES),
    /** Tag the source object with PENDING, COMPLETED or FAILED. */
    statusTags: z.boolean(),
    /** Larger objects are copied in parts under a lease. */
    inlineLimitBytes: z.count,
    /** Hard end of one write of a small object. */
    inlineTimeoutSeconds: z.atLeastOne,
    /** Hard end of one run, the function's own timeout. */
    timeoutSeconds: z.atLeastOne,
    partSizeBytes: z.int().check(z.positive()),
    /** Parts in memory at once. */
    partsAtOnce: within(BOUNDS.partsAtOnce),
    /** Copies of large objects that may run at once. */
    copiesAtOnce: within(BOUNDS.copiesAtOnce),
    /** Keys that wait for long. */
    queueUrl: z.filledText,
    /** Keys that wait for the destination to come back. */
    outageQueueUrl: z.filledText,
    /** The function that the tick hands keys to. */
    dispatcherFunctionName: z.filledText,
    deadLetterUrl: z.filledText,
    /** Failed attempts at one state of a key, after which the key is parked. Waits do not count. */
    maxAttempts: z.atLeastOne,
    /** A key that has waited this long is parked. */
    giveUpAfterSeconds: z.atLeastOne,
  });
export type PusherConfig = z.infer<ReturnType<typeof pusherSchema>>;

/** The latency probe's function on one side. */
const proberSchema = () =>
  z.strictObject({
    ...identity,
    side: z.enum(["source", "destination"]),
    /** The store on this side. */
    store: storeConfigSchema,
    /** The beginning of every key on this side: the destination's prefix at the destination, empty at the source. */
    keyPrefix: z.string(),
    /** Follows `keyPrefix`. The prober touches no key outside of it. */
    probePrefix: z.filledText,
    /** The end of every key, where the scope requires a suffix. */
    suffix: z.string(),
    /** The tags of every object, where the scope requires tags. */
    tags: textRecord({ nameCharacters: 256, valueCharacters: 512 }),
    /** The canary. In every slot this side puts one object (`puts`), or watches for one (`watches`), or both. Absent without a schedule. */
    canary: z.optional(
      z.strictObject({
        everyMinutes: z.atLeastOne,
        sizeBytes: z.count,
        puts: z.boolean(),
        watches: z.boolean(),
        /** A watched object that is not seen within this time counts as given up. */
        giveUpAfterSeconds: z.atLeastOne,
      }),
    ),
    /** The function's own timeout. */
    timeoutSeconds: z.atLeastOne,
  });
export type ProberConfig = z.infer<ReturnType<typeof proberSchema>>;

/** Hands alarms on to a webhook. */
const notifierSchema = () =>
  z.strictObject({
    bridgeId: identity.bridgeId,
    logLevel: identity.logLevel,
    format: z.enum(WEBHOOK_FORMATS),
    /** Name of the alarm on the notifier itself. */
    ownAlarm: z.filledText,
    /** Name of the SSM SecureString that holds `{"url", "secret"}`; the secret may be absent. */
    parameter: z.filledText,
  });
export type NotifierConfig = z.infer<ReturnType<typeof notifierSchema>>;

/** Built when it is used: a function has one role, and every schema costs time to start. */
const ROLE_SCHEMAS = {
  sender: senderSchema,
  receiver: receiverSchema,
  copier: copierSchema,
  dispatcher: dispatcherSchema,
  pusher: pusherSchema,
  prober: proberSchema,
  notifier: notifierSchema,
} as const;
export type Role = keyof typeof ROLE_SCHEMAS;
export type RoleConfig<R extends Role> = z.infer<ReturnType<(typeof ROLE_SCHEMAS)[R]>>;

/** @throws ZodError where a value does not fit the role. */
export function encodeEnv<R extends Role>(role: R, config: RoleConfig<R>): Record<string, string> {
  return { [CONFIG_VARIABLE]: asciiJson(ROLE_SCHEMAS[role]().parse(config)) };
}

/** @throws Error that names the variable and every field that does not fit, never a value. */
export function parseEnv<R extends Role>(role: R, env: Readonly<Record<string, string | undefined>>): RoleConfig<R> {
  const text = env[CONFIG_VARIABLE];
  if (text === undefined)
    throw new Error(`${CONFIG_VARIABLE} is not set: deploy this function with the CrossBorderBridge component`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${CONFIG_VARIABLE} is not JSON`, { cause });
  }
  const parsed = ROLE_SCHEMAS[role]().safeParse(json);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => `${issue.path.join(".") || "(root)"}: ${issue.message}`);
    throw new Error(`${CONFIG_VARIABLE} does not fit the ${role}: ${fields.join("; ")}`);
  }
  return parsed.data as RoleConfig<R>;
}
