import type { Failure, Infer, Schema } from "./schema";
import type { Properties } from "./values";

/**
 * One resource type of the local cloud. `C` is the context of a configured provider. The inputs of `create`, `read`, `update` and
 * `delete` fit the schema and have no unknown values.
 */
export interface ResourceDefinition<C, S extends Schema, I = Infer<S>> {
  /** As in the package's SDK, e.g. `aws:s3/bucket:Bucket`. */
  token: string;
  inputs: S;
  /** Outputs that the cloud decides. They are unknown in the preview of a create. */
  computed: readonly string[];
  /** Outputs for inputs that are not given. */
  defaults?: Properties | undefined;
  /** The input that gets `<resource name>-<7 hex digits>` when it is not given. */
  autoname?: { property: string; maxLength: number };
  /** Inputs that cannot change in place. Without `update` no input can. */
  replaceOn?: readonly string[];
  /** Inputs whose changes the real provider ignores. The output keeps its value. */
  ignored?: readonly string[];
  /** Inputs that keep their last value when they are left out later, because the real provider also reads them. */
  kept?: readonly string[];
  /** The engine deletes the old resource first, because both would have the same identity. */
  fixedIdentity?: boolean;
  /** Further rules on inputs. Not called while an input is unknown. */
  check?: ((inputs: I, context: C) => Iterable<Failure>) | undefined;
  /** Resolves to the id, or to the id and the outputs that cannot be read later. */
  create(context: C, inputs: I): Promise<string | { id: string; outputs: Properties }>;
  /** The computed outputs; undefined when the resource does not exist. */
  read(context: C, id: string, inputs: I): Promise<Properties | undefined>;
  /** Inputs that the resource has otherwise in the cloud than it was given. A refresh takes them over, so that the next update writes them again. */
  drift?: ((context: C, id: string, inputs: I) => Promise<Properties>) | undefined;
  update?: ((context: C, id: string, news: I, olds: I) => Promise<void>) | undefined;
  /** Succeeds when the resource does not exist. */
  delete(context: C, id: string, inputs: I): Promise<void>;
  /** Called when no input changed. Throws when the real cloud would keep a stale resource. */
  verifyUnchanged?: ((context: C, id: string, inputs: I, outputs: Properties) => Promise<void>) | undefined;
}

export type ResourceType<C> = ResourceDefinition<C, Schema, Properties>;

/** Types the inputs of an entry by its schema. */
export function resourceOf<C>() {
  return <const S extends Schema>(definition: ResourceDefinition<C, S>): ResourceType<C> =>
    definition as unknown as ResourceType<C>;
}

/** One data source. `args` fit the schema and have no unknown values. */
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
  /** Inputs of every resource type. */
  commonInputs: Schema;
  /** The context for one provider. @throws Error when its configuration does not fit the local cloud. */
  configure(config: Properties): Promise<C>;
  /** Translates inputs and ids for the cloud; `fromCloud` translates its outputs for the program. */
  toCloud<T>(value: T, context: C): T;
  fromCloud<T>(value: T, context: C): T;
  /** Adds inputs that follow from others and from the provider's configuration, such as `tagsAll`. */
  derive(type: ResourceType<C>, inputs: Properties, context: C): Properties;
  /** Rules for every type. */
  check(type: ResourceType<C>, inputs: Properties, context: C): Iterable<Failure>;
  /** True in a preview without a cloud, in which no resource can be created, read or deleted. */
  isPreviewOnly(context: C): boolean;
}
