import type { LocalPartition } from "../../aws/local-aws";
import type { Partition } from "../../aws/ministack";
import { invokeOf, resourceOf } from "../resource-type";
import type { Clients } from "./clients";

/** One configured `aws` provider, as the table entries see it. */
export interface AwsContext {
  partition: Partition;
  region: string;
  accountId: string;
  defaultTags: Record<string, string>;
  /** Undefined in a preview without a cloud. */
  cloud: { partition: LocalPartition; clients: Clients } | undefined;
  /** How long, in ms, a new role or user stays unknown to services other than IAM. */
  propagationMs: number;
  /** Paths of archives are relative to it. */
  workingDirectory: string;
}

export const resource = resourceOf<AwsContext>();
export const invoke = invokeOf<AwsContext>();

export function cloudOf(context: AwsContext): NonNullable<AwsContext["cloud"]> {
  if (context.cloud === undefined) throw new Error("this provider only serves previews; start the local cloud to deploy");
  return context.cloud;
}

/** The clients of the provider's partition and region. */
export function clientsOf(context: AwsContext): Clients {
  return cloudOf(context).clients;
}

/** An ARN in the one partition that the emulator has. `fromCloud` translates it for the program. */
export function arnOf(context: AwsContext, service: string, rest: string, where: { global?: boolean } = {}): string {
  const [region, account] = where.global ? ["", ""] : [context.region, context.accountId];
  return `arn:aws:${service}:${region}:${account}:${rest}`;
}

/** The name of an AWS SDK error, e.g. `NoSuchBucket`; undefined for other errors. */
export function errorName(error: unknown): string | undefined {
  return error instanceof Error && "$metadata" in error ? error.name : undefined;
}

/** Undefined when the resource does not exist. */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** For deletes: succeeds when the resource does not exist. */
export async function ignoreMissing(call: Promise<unknown>): Promise<void> {
  await unlessMissing(call);
}

const MISSING =
  /^(NoSuch\w*|NotFound(Exception)?|404|\w*NotFound(Exception|Error)?|\w*\.NotFound|\w*NonExistentQueue|QueueDoesNotExist|ParameterNotFound|\w*DoesNotExist\w*)$/;

function isMissing(error: unknown): boolean {
  const name = errorName(error);
  return name !== undefined && MISSING.test(name);
}
