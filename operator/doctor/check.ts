/**
 * The contract of a check. Each looks at one thing with calls that only read, and says what is wrong, why it matters and which command mends
 * it. `catalogue.ts` lists them, and docs/doctor.md has the same table.
 */
import type { BridgeConfig } from "../../components/config";
import { isAws } from "../../components/config/clouds";
import { BridgeError } from "../../runtime/stores/errors";
import type { OperatedBridge, OperatedOutputs } from "../operated-bridge";
import type { AlicloudClients } from "./clouds/alicloud";
import type { AwsClients } from "./clouds/aws";

export type SideName = "source" | "destination";
export const SIDES: readonly SideName[] = ["source", "destination"];

/** The stack that is looked at. */
export interface CheckedStack {
  name: string;
  config: Omit<BridgeConfig, "token">;
  /** Undefined before the first `pulumi up`. */
  outputs: OperatedOutputs | undefined;
  /** Undefined before the first `pulumi up`. */
  bridge: OperatedBridge | undefined;
  /** Whether the stack runs in the local clouds. */
  local: boolean;
  clients: Readonly<Record<SideName, AwsClients | AlicloudClients>>;
  /** Milliseconds since the epoch, by the clock of this machine. */
  now(): number;
}

/** The input of one check of one side. */
export interface View {
  stack: CheckedStack;
  side: SideName;
  /** Aborted when the time of the check is over. */
  signal: AbortSignal;
}

export interface Problem {
  /** The fault, with the name of the thing and its value. */
  what: string;
  /** What happens because of it. @default the check's own */
  why?: string | undefined;
  /** A command to paste, or the steps where no command can do it. */
  fix: string;
}

export interface Check {
  /** In kebab case. */
  name: string;
  looksAt: string;
  why: string;
  /** `before` and `after` a first `pulumi up`. */
  when: "always" | "before" | "after";
  /** Checks that must find nothing on the same side first: without them this one would only repeat what they say. */
  needs: readonly string[];
  /** The sides that it applies to. */
  sides(stack: CheckedStack): readonly SideName[];
  /** Why it cannot be made on this side of this stack. */
  unavailable?(stack: CheckedStack, side: SideName): string | undefined;
  run(view: View): Promise<Problem[]>;
}

export const settingsOf = ({ stack, side }: Pick<View, "stack" | "side">) => stack.config[side];

/** The name of the bucket, also where the settings have changed since the last deployment. */
export function bucketOf({ stack, side }: Pick<View, "stack" | "side">): string {
  return stack.outputs?.[`${side}Bucket`] ?? stack.config[side].bucket;
}

/** `bucket reports (aws-cn, cn-north-1)` */
export function bucketText(view: Pick<View, "stack" | "side">): string {
  const { cloud, region } = settingsOf(view);
  return `the bucket ${bucketOf(view)} (${cloud}, ${region})`;
}

/** @throws Error for a side in another cloud: a check that asks for these clients applies to AWS only */
export function awsOf({ stack, side }: View): AwsClients {
  const clients = stack.clients[side];
  if (clients.kind !== "aws") throw new Error(`the ${side} is not in AWS`);
  return clients;
}

/** @throws Error for a side in another cloud: a check that asks for these clients applies to Alibaba Cloud only */
export function alicloudOf({ stack, side }: View): AlicloudClients {
  const clients = stack.clients[side];
  if (clients.kind !== "alicloud") throw new Error(`the ${side} is not in Alibaba Cloud`);
  return clients;
}

export const awsSides = ({ config }: CheckedStack): SideName[] => SIDES.filter((side) => isAws(config[side].cloud));
export const alicloudSides = ({ config }: CheckedStack): SideName[] => SIDES.filter((side) => config[side].cloud === "alicloud");

/** Whether the bucket should be there: it is adopted, or the stack was deployed. */
export const hasBucket = ({ config, outputs }: CheckedStack, side: SideName): boolean =>
  outputs !== undefined || config[side].adopt;

/** The functions of the bridge on this side, by role. Those of push are at the source. */
export function functionsOf({ outputs }: CheckedStack, side: SideName): [role: string, name: string][] {
  if (outputs === undefined) return [];
  const { senderFunctionName: sender, receiverFunctionName: receiver, copierFunctionName: copier } = outputs;
  const { dispatcherFunctionName: dispatcher, pusherFunctionName: pusher, proberFunctionNames } = outputs;
  const roles = side === "source" ? { sender, dispatcher, pusher } : { receiver, copier };
  return Object.entries({ ...roles, prober: proberFunctionNames?.[side] }).flatMap(([role, name]) =>
    name === undefined ? [] : [[role, name] as [string, string]],
  );
}

/** A check that could not come to a result. The message is shown instead of a finding. */
export class Unchecked extends Error {
  override name = "Unchecked";
}

/** Why a check failed, in one line. */
export function reasonOf(error: unknown): string {
  if (error instanceof BridgeError || error instanceof Unchecked) return error.message;
  if (!(error instanceof Error)) return String(error);
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  if ($metadata === undefined) return message === "" ? name : message;
  // A refusal of AWS. Its message may quote the request, with the account in it, but no secret.
  return `${name}${message === "" || message === name ? "" : `: ${message}`}`;
}
