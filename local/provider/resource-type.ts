import type { Failure, Infer, Schema } from "./schema";
import type { Properties } from "./values";

/**
 * One resource type of the local cloud. `C` is what a cloud gives its entries to work with. Inputs that reach `create`, `read`,
 * `update` and `delete` fit the schema and are known.
 */
export interface ResourceDefinition<C, S extends Schema, I = Infer<S>> {
  /** As in the package's SDK, e.g. `aws:s3/bucket:Bucket`. */
  token: string;
  inputs: S;
  /** Outputs that only the cloud knows: unknown in the preview of a create. */
  computed: readonly string[];
  /** What the cloud assumes for inputs that are not given; part of the outputs. */
  defaults?: Properties;
  /** The input that gets `<resource name>-<7 hex digits>` when it is not given. */
  autoname?: { property: string; maxLength: number };
  /** Inputs that cannot change in place. Every one when there is no `update`. */
  replaceOn?: readonly string[];
  /** A replacement would collide with what it replaces: delete first. */
  fixedIdentity?: boolean;
  /** Further rules on inputs; not called while any input is unknown. */
  check?(inputs: I, context: C): Iterable<Failure>;
  /** Resolves to the id, with outputs that cannot be read again later. */
  create(context: C, inputs: I): Promise<string | { id: string; outputs: Properties }>;
  /** The computed outputs; undefined when it is gone. */
  read(context: C, id: string, inputs: I): Promise<Properties | undefined>;
  update?(context: C, id: string, news: I, olds: I, outputs: Properties): Promise<void>;
  /** Deleting what is gone already succeeds. */
  delete(context: C, id: string, inputs: I): Promise<void>;
  /** Called when no input changed; throws when leaving it as it is would not do on the real cloud. */
  verifyUnchanged?(context: C, id: string, inputs: I, outputs: Properties): Promise<void>;
}

export type ResourceType<C> = ResourceDefinition<C, Schema, Properties>;

/** A table entry whose functions see inputs typed by its own schema. */
export function resourceOf<C>() {
  return <const S extends Schema>(definition: ResourceDefinition<C, S>): ResourceType<C> =>
    definition as unknown as ResourceType<C>;
}

/** One data source: `args` fit the schema and are known. */
export interface InvokeDefinition<C, S extends Schema, A = Infer<S>> {
  token: string;
  args: S;
  call(context: C, args: A): Promise<Properties> | Properties;
}
export type Invoke<C> = InvokeDefinition<C, Schema, Properties>;

export function invokeOf<C>() {
  return <const S extends Schema>(definition: InvokeDefinition<C, S>): Invoke<C> => definition as unknown as Invoke<C>;
}

/** Everything that the provider of one package serves. */
export interface Package<C> {
  name: string;
  version: string;
  resources: readonly ResourceType<C>[];
  invokes: readonly Invoke<C>[];
  config: Schema;
  /** Inputs that every resource takes besides its own. */
  commonInputs: Schema;
  /** The context for one provider. @throws Error when its configuration does not fit the local cloud. */
  configure(config: Properties): Promise<C>;
  /** How inputs and ids look to the cloud, and how its outputs look to the program. */
  toCloud<T>(value: T, context: C): T;
  fromCloud<T>(value: T, context: C): T;
  /** Inputs that follow from others and the provider's configuration, such as all tags. */
  derive(type: ResourceType<C>, inputs: Properties, context: C): Properties;
  /** Rules that hold for every type. */
  check(type: ResourceType<C>, inputs: Properties, context: C): Iterable<Failure>;
  /** True in a preview without a cloud: nothing can be created, read or deleted. */
  isPreviewOnly(context: C): boolean;
}
