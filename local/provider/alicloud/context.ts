import { invokeOf, resourceOf } from "../resource-type";
import type { Properties } from "../values";
import { type AlicloudAccount, originOf } from "./account";
import { ApiFailure } from "./api-failure";
import type { ControlApi } from "./control-api";
import type { LogApi } from "./log-api";
import type { OssApi } from "./oss-api";

/** The services of one account in one region. */
export interface Cloud {
  account: AlicloudAccount;
  control: ControlApi;
  logs: LogApi;
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

export const controlOf = (context: AlicloudContext): ControlApi => cloudOf(context).control;

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
  if (existing !== undefined) throw new ApiFailure(409, "AlreadyExist", `${name} is there already: choose another name`);
}

/** `127.0.0.1:PORT` of the local OSS, because only an address is valid in a presigned URL. Without a cloud: the hosts of the real OSS. */
export function bucketEndpoints({ cloud, region }: AlicloudContext): { extranetEndpoint: string; intranetEndpoint: string } {
  const [extranet, intranet] = [`oss-${region}.aliyuncs.com`, `oss-${region}-internal.aliyuncs.com`];
  if (cloud === undefined) return { extranetEndpoint: extranet, intranetEndpoint: intranet };
  return { extranetEndpoint: addressOf(cloud, extranet), intranetEndpoint: addressOf(cloud, intranet) };
}

/** `127.0.0.1:PORT` of a host of the local OSS, because nothing resolves a custom domain. */
export const addressOf = ({ account }: Cloud, host: string): string =>
  `127.0.0.1:${new URL(originOf(account, host.toLowerCase())).port}`;
