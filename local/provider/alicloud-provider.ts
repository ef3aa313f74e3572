import type { AlicloudContext, AlicloudServices, Cloud } from "./alicloud/context";
import { INVOKES } from "./alicloud/invokes";
import { OssApi } from "./alicloud/oss-api";
import { RESOURCES } from "./alicloud/registry";
import type { Package } from "./resource-type";
import type { Infer } from "./schema";
import { type ServedProvider, servePackage } from "./server";

export interface AlicloudProviderOptions {
  /** The running cloud. `"preview"` serves previews without a cloud. */
  cloud: AlicloudServices | "preview";
}

/**
 * The configuration of an `alicloud` provider. Only the region and the account have an effect here; the rest
 * says how to reach the real Alibaba Cloud.
 */
const CONFIG = {
  region: "string",
  accountId: "string",
  profile: "string",
  accessKey: "string",
  secretKey: "string",
  securityToken: "string",
  ecsRoleName: "string",
  sharedCredentialsFile: "string",
  assumeRole: { roleArn: "string", sessionName: "string", sessionExpiration: "number", policy: "string", externalId: "string" },
  configurationSource: "string",
  maxRetryTimeout: "number",
  skipRegionValidation: "boolean",
} as const;

/** The account id that a preview without a cloud shows. */
const PREVIEW_ACCOUNT = "3333333333333333";

/** Serves the package `alicloud` on 127.0.0.1. Each provider of the program works in one region of the local account. */
export function serveAlicloudProvider(options: AlicloudProviderOptions): Promise<ServedProvider> {
  return servePackage(alicloudPackage(options));
}

export function alicloudPackage({ cloud }: AlicloudProviderOptions): Package<AlicloudContext> {
  return {
    name: "alicloud",
    version: "3.108.0",
    resources: RESOURCES,
    invokes: INVOKES,
    config: CONFIG,
    commonInputs: {},
    configure: async (config) => configure(config as Infer<typeof CONFIG>, cloud),
    toCloud: (value) => value,
    fromCloud: (value) => value,
    derive: () => ({}),
    check: () => [],
    isPreviewOnly: (context) => context.cloud === undefined,
  };
}

function configure({ region, accountId }: Infer<typeof CONFIG>, cloud: AlicloudServices | "preview"): AlicloudContext {
  if (!region) throw new Error("the alicloud provider needs a region; set it on the provider or as alicloud:region");
  if (!/^[a-z]{2}(-[a-z0-9]+)+$/.test(region)) throw new Error(`${region} is no region of Alibaba Cloud, e.g. cn-shanghai`);
  if (cloud === "preview") return { region, accountId: accountId || PREVIEW_ACCOUNT };
  if (accountId && accountId !== cloud.accountId) {
    throw new Error(`account ${cloud.accountId} of the local Alibaba Cloud is not the provider's accountId, ${accountId}`);
  }
  return { region, accountId: cloud.accountId, cloud: cloudIn(region, cloud) };
}

function cloudIn(region: string, services: AlicloudServices): Cloud {
  const { regions, oss, caPath, ram } = services;
  const endpoint = oss.endpoints[region]?.public;
  if (!regions.includes(region) || endpoint === undefined) {
    throw new Error(`the local Alibaba Cloud has no region ${region}; it has ${regions.join(", ")}`);
  }
  const credentials = { accessKeyId: ram.root.accessKeyId, secretAccessKey: ram.root.accessKeySecret };
  return { services, oss: new OssApi({ endpoint, region, caPath, credentials }) };
}
