/** Sends each resource and invoke to the mock of its provider package. */
import type * as pulumi from "@pulumi/pulumi";
import * as alicloud from "./mock-alicloud";
import * as aws from "./mock-aws";

export const STASH = "pulumi:index:Stash";

const isOf = (name: string, type: string): boolean => type.startsWith(`${name}:`) || type === `pulumi:providers:${name}`;

export function deploy(args: pulumi.runtime.MockResourceArgs): pulumi.runtime.MockResourceResult {
  if (args.custom === false) return { id: "", state: args.inputs };
  if (isOf("aws", args.type)) return aws.deploy(args);
  if (isOf("alicloud", args.type)) return alicloud.deploy(args);
  // The engine's own. A new one keeps its input.
  if (args.type === STASH) return { id: args.name, state: { ...args.inputs, output: args.inputs.input } };
  throw new Error(`no provider for ${args.type}`);
}

export function answerInvoke(args: pulumi.runtime.MockCallArgs): Record<string, unknown> {
  return args.token.startsWith("alicloud:") ? alicloud.answerInvoke(args) : aws.answerInvoke(args);
}
