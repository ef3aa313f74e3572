/** The outputs as properties of a component. Values that are known only after a deployment are outputs of Pulumi. */
import * as pulumi from "@pulumi/pulumi";
import { OUTPUT_NAMES } from "./config/outputs";
import type { BridgeOutputs } from "./config/settings";

type Deployed<T> = T extends string ? pulumi.Output<string> : T extends string[] ? T : { [Key in keyof T]: Deployed<T[Key]> };

/** Every output that a bridge may have, as a property of the component. */
export type OutputProperties = { readonly [Key in keyof BridgeOutputs]: Deployed<BridgeOutputs[Key]> };

/** Outputs that are always present. */
export type Present<Key extends keyof OutputProperties> = Required<Pick<OutputProperties, Key>>;

/** Selects the bridge's outputs from the properties of a component. Other properties, such as its URN, are left out. */
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
