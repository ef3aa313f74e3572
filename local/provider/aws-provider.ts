import type { LocalPartition } from "../aws/local-aws";
import type { Partition } from "../aws/ministack";
import { makeClients } from "./aws/clients";
import type { AwsContext } from "./aws/context";
import { INVOKES } from "./aws/invokes";
import { foreignArns, fromEmulator, partitionOf, toEmulator } from "./aws/partitions";
import { regionFailures } from "./aws/regions";
import { RESOURCES } from "./aws/registry";
import type { Package } from "./resource-type";
import type { Infer } from "./schema";
import { type ServedProvider, servePackage } from "./server";
import { hasUnknown, type Properties } from "./values";

export interface AwsProviderOptions {
  /** The running partitions. `"preview"` serves previews without a cloud. */
  partitions: Record<Partition, LocalPartition> | "preview";
  /** Relative paths of archives start here: the folder of Pulumi.yaml. @default the current folder */
  workingDirectory?: string;
  /** How long, in ms, a new role or user stays unknown to services other than IAM. @default 0 */
  propagationMs?: number | undefined;
}

/**
 * The configuration of an `aws` provider. Only the region, the default tags and the allowed accounts have an effect here; the rest
 * says how to reach the real AWS.
 */
const CONFIG = {
  region: "string",
  defaultTags: { tags: "map" },
  allowedAccountIds: ["string"],
  profile: "string",
  accessKey: "string",
  secretKey: "string",
  token: "string",
  assumeRoles: [{ roleArn: "string", externalId: "string", sessionName: "string", duration: "string" }],
  assumeRoleWithWebIdentity: {
    roleArn: "string",
    sessionName: "string",
    webIdentityToken: "string",
    webIdentityTokenFile: "string",
  },
  maxRetries: "number",
  skipCredentialsValidation: "boolean",
  skipMetadataApiCheck: "boolean",
  skipRegionValidation: "boolean",
  skipRequestingAccountId: "boolean",
} as const;

/** Account ids that a preview without a cloud shows. */
const PREVIEW_ACCOUNTS: Record<Partition, string> = { aws: "111111111111", "aws-cn": "222222222222" };

/**
 * Serves the package `aws` on 127.0.0.1. The region of a provider decides its partition, and each partition is one local instance.
 */
export function serveAwsProvider(options: AwsProviderOptions): Promise<ServedProvider> {
  return servePackage(awsPackage(options));
}

export function awsPackage(options: AwsProviderOptions): Package<AwsContext> {
  return {
    name: "aws",
    version: "7.48.0",
    resources: RESOURCES,
    invokes: INVOKES,
    config: CONFIG,
    commonInputs: { region: "string" },
    configure: async (config) => configure(config as Infer<typeof CONFIG>, options),
    toCloud: toEmulator,
    fromCloud: (value, context) => fromEmulator(value, context.partition),
    derive: (type, inputs, context) => {
      if (!("tags" in type.inputs) || hasUnknown(inputs.tags)) return {};
      const tagsAll = { ...context.defaultTags, ...(inputs.tags as Record<string, string> | undefined) };
      return Object.keys(tagsAll).length === 0 ? {} : { tagsAll };
    },
    check: function* (_type, inputs: Properties, context) {
      yield* foreignArns(inputs, context.partition);
      yield* regionFailures(inputs, context);
    },
    isPreviewOnly: (context) => context.cloud === undefined,
  };
}

function configure(config: Infer<typeof CONFIG>, options: AwsProviderOptions): AwsContext {
  if (!config.region) throw new Error("the aws provider needs a region; set it on the provider or as aws:region");
  const partition = partitionOf(config.region);
  const allowed = config.allowedAccountIds;
  const cloud = options.partitions === "preview" ? undefined : options.partitions[partition];
  const accountId = cloud?.accountId ?? allowed?.[0] ?? PREVIEW_ACCOUNTS[partition];
  if (allowed !== undefined && !allowed.includes(accountId)) {
    throw new Error(`account ${accountId} of the local ${partition} is not among allowedAccountIds: ${allowed.join(", ")}`);
  }
  return {
    partition,
    region: config.region,
    accountId,
    defaultTags: config.defaultTags?.tags ?? {},
    propagationMs: options.propagationMs ?? 0,
    workingDirectory: options.workingDirectory ?? process.cwd(),
    cloud: cloud && { partition: cloud, clients: makeClients(cloud, config.region) },
  };
}
