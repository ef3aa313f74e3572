/** The secrets at one side, on every cloud. */
import type * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "./platform";

export type SecretArgs = { value: pulumi.Output<string>; description: string } & (
  | { side: "source" | "destination"; secret: "token" }
  | { side: "source"; secret: "invoker" }
);

/** The signing secrets: in a parameter that is made of the stack's secret, or in the operator's. */
export function signingSecrets<T>(
  { config, token }: BridgeContext,
  side: "source" | "destination",
  { create, existing }: { create(args: SecretArgs): T; existing(name: string): T },
): T {
  if (token !== undefined) {
    const description = `Signing secrets of bridge ${config.name}, newest first`;
    return create({ side, secret: "token", value: token, description });
  }
  const name = config.auth.tokenParameter;
  if (name === undefined) throw new Error(`bridge ${config.name} has neither a token nor auth.tokenParameter`);
  return existing(name);
}
