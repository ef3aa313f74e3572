/** The outputs as a component has them: what a deployment tells later is an output of Pulumi. */
import * as pulumi from "@pulumi/pulumi";
import { OUTPUT_NAMES } from "./config/outputs";
import type { BridgeOutputs } from "./config/settings";

type Deployed<T> = T extends string ? pulumi.Output<string> : T extends string[] ? T : { [Key in keyof T]: Deployed<T[Key]> };

/** Every output that a bridge may have, as a property of the component. */
export type OutputProperties = { readonly [Key in keyof BridgeOutputs]: Deployed<BridgeOutputs[Key]> };

/** Some outputs that are always there. */
export type Present<Key extends keyof OutputProperties> = Required<Pick<OutputProperties, Key>>;

/** The outputs among the properties of what a mode made; its own URN, for one, is no output of the bridge. */
export function outputsAmong(made: object): Partial<OutputProperties> {
  const properties = made as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    OUTPUT_NAMES.filter((name) => properties[name] !== undefined).map((name) => [name, properties[name]]),
  ) as Partial<OutputProperties>;
}

/** A component that has the outputs as properties, each with its documentation. `Object.assign` sets them. */
export const ComponentWithOutputs = pulumi.ComponentResource as unknown as Pick<typeof pulumi.ComponentResource, "isInstance"> &
  (new (
    ...args: ConstructorParameters<typeof pulumi.ComponentResource>
  ) => pulumi.ComponentResource & OutputProperties);
