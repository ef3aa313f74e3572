import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../platform";

/** The components of the two modes that take events of an OSS source. */
const PARENTS = [
  ["crossborder:alicloud:Push", "push"],
  ["crossborder:alicloud:Trigger", "trigger"],
] as const;

/** For what both have under one physical name: whoever changes the mode keeps it, as a second one could not be made. */
export const aliasesInModes = ({ name, parent }: Pick<BridgeContext, "name" | "parent">): pulumi.Alias[] =>
  PARENTS.map(([type, part]) => ({ parent: pulumi.createUrn(`${name}-${part}`, type, parent) }));
