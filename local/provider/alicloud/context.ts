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
  oss: Pick<LocalOss, "endpoints">;
  /** PEM of the certificate that the OSS endpoints show. */
  caPath: string;
  records: SettingRecords;
}

export interface Cloud {
  services: AlicloudServices;
  /** Of the provider's region. */
  oss: OssApi;
}

/** What a table entry works with: one configured `alicloud` provider. */
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

/** Runs a read; undefined when the cloud says it is not there. */
export async function unlessMissing<T>(call: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Runs a delete; what is gone already is fine. */
export async function ignoreMissing(call: () => unknown): Promise<void> {
  await unlessMissing(call);
}

/** Errors of the services and of the OSS client both have the status of the answer. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && (error as Partial<ApiError>).status === 404;
}

/** Changes of the services leave alone what they do not name, so what was given before cannot be taken away in place. */
export function assertKept(names: readonly string[], news: Properties, olds: Properties): void {
  for (const name of names) {
    if (olds[name] !== undefined && news[name] === undefined) {
      throw new Error(`${name} cannot be taken away in place in the local cloud: give another one or replace the resource`);
    }
  }
}

/** For creations that would quietly take over what is there. */
export function assertFree(what: string, existing: unknown): void {
  if (existing !== undefined) throw new ApiError(409, "AlreadyExist", `${what} is there already: choose another name`);
}
