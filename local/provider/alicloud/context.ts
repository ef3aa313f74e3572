import type { LocalOss, SettingRecords } from "local-alicloud";
import {
  ApiError,
  type CloudFlow,
  type FunctionCompute,
  type MessageService,
  type Ram,
  type SecretParameters,
} from "local-alicloud";
import { invokeOf, resourceOf } from "../resource-type";
import type { Properties } from "../values";
import type { OssApi } from "./oss-api";

/** The part of the local Alibaba Cloud that the provider uses. */
export interface AlicloudServices {
  accountId: string;
  regions: readonly string[];
  ram: Ram;
  fc: FunctionCompute;
  flow: CloudFlow;
  messages: MessageService;
  secrets: SecretParameters;
  oss: Pick<LocalOss, "endpoints" | "domains">;
  /** PEM of the certificate of the OSS endpoints. */
  caPath: string;
  records: SettingRecords;
}

export interface Cloud {
  services: AlicloudServices;
  /** In the provider's region. */
  oss: OssApi;
}

/** One configured `alicloud` provider, as the table entries see it. */
export interface AlicloudContext {
  region: string;
  accountId: string;
  /** Absent in a preview without a cloud. */
  cloud?: Cloud;
}

export const resource = resourceOf<AlicloudContext>();
export const invoke = invokeOf<AlicloudContext>();

export function cloudOf(context: AlicloudContext): Cloud {
  if (context.cloud === undefined) throw new Error("this provider only serves previews; start the local cloud to deploy");
  return context.cloud;
}

export function servicesOf(context: AlicloudContext): AlicloudServices {
  return cloudOf(context).services;
}

/** Undefined when the resource does not exist. */
export async function unlessMissing<T>(call: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** For deletes: succeeds when the resource does not exist. */
export async function ignoreMissing(call: () => unknown): Promise<void> {
  await unlessMissing(call);
}

/** Errors of the services and of the OSS client have the HTTP status. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && (error as Partial<ApiError>).status === 404;
}

/** An update of the services keeps values that it does not name, so an input cannot be removed in place. */
export function assertKept(names: readonly string[], news: Properties, olds: Properties): void {
  for (const name of names) {
    if (olds[name] !== undefined && news[name] === undefined) {
      throw new Error(`${name} cannot be taken away in place in the local cloud: give another one or replace the resource`);
    }
  }
}

/** For services that answer success when the name is taken. */
export function assertFree(name: string, existing: unknown): void {
  if (existing !== undefined) throw new ApiError(409, "AlreadyExist", `${name} is there already: choose another name`);
}

/** `127.0.0.1:PORT` of the local OSS, because only an address is valid in a presigned URL. Without a cloud: the hosts of the real OSS. */
export function bucketEndpoints({ cloud, region }: AlicloudContext): { extranetEndpoint: string; intranetEndpoint: string } {
  const local = cloud?.services.oss.endpoints[region];
  if (local === undefined) {
    return { extranetEndpoint: `oss-${region}.aliyuncs.com`, intranetEndpoint: `oss-${region}-internal.aliyuncs.com` };
  }
  return { extranetEndpoint: byAddress(local.public), intranetEndpoint: byAddress(local.internal) };
}

/** `127.0.0.1:PORT` of a custom domain in the local OSS, because nothing resolves the domain. */
export function domainAddress(context: AlicloudContext, domain: string): string {
  const origin = servicesOf(context).oss.domains()[domain.toLowerCase()];
  if (origin === undefined) throw new Error(`the local OSS has no port for the domain ${domain}`);
  return byAddress(origin);
}

const byAddress = (origin: string): string => `127.0.0.1:${new URL(origin).port}`;
