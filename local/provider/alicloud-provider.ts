import { type AlicloudAccount, originOf, regionsOf } from "./alicloud/account";
import type { AlicloudContext, Cloud } from "./alicloud/context";
import { ControlApi } from "./alicloud/control-api";
import { INVOKES } from "./alicloud/invokes";
import { LogApi } from "./alicloud/log-api";
import { OssApi } from "./alicloud/oss-api";
import { RESOURCES } from "./alicloud/registry";
import type { Package } from "./resource-type";
import type { Infer } from "./schema";
import { type ServedProvider, servePackage } from "./server";

export interface AlicloudProviderOptions {
  /** The account to deploy to. `"preview"` serves previews without a cloud. */
  cloud: AlicloudAccount | "preview";
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

async function configure(
  { region, accountId }: Infer<typeof CONFIG>,
  account: AlicloudAccount | "preview",
): Promise<AlicloudContext> {
  if (!region) throw new Error("the alicloud provider needs a region; set it on the provider or as alicloud:region");
  if (!/^[a-z]{2}(-[a-z0-9]+)+$/.test(region)) throw new Error(`${region} is no region of Alibaba Cloud, e.g. cn-shanghai`);
  if (account === "preview") return { region, accountId: accountId || PREVIEW_ACCOUNT };
  const cloud = cloudIn(region, account);
  const { AccountId } = await cloud.control.rpc("sts", "GetCallerIdentity", {});
  if (accountId && accountId !== AccountId) {
    throw new Error(`account ${AccountId} of the local Alibaba Cloud is not the provider's accountId, ${accountId}`);
  }
  return { region, accountId: String(AccountId), cloud };
}

function cloudIn(region: string, account: AlicloudAccount): Cloud {
  const regions = regionsOf(account);
  if (!regions.includes(region)) {
    throw new Error(`the local Alibaba Cloud has no region ${region}; it has ${regions.join(", ")}`);
  }
  const { caPath, credentials } = account;
  // The client of OSS takes path style only for a host that is no address.
  const endpoint = originOf(account, `oss-${region}.aliyuncs.com`).replace("//127.0.0.1:", "//localhost:");
  const { accessKeyId, accessKeySecret: secretAccessKey } = credentials;
  return {
    account,
    control: new ControlApi(account, region),
    logs: new LogApi(account, region),
    oss: new OssApi({ endpoint, region, caPath, credentials: { accessKeyId, secretAccessKey } }),
  };
}
