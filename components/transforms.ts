/** Changes that a program makes to the bridge's children before they are declared. */
import * as pulumi from "@pulumi/pulumi";

/** One change, made by `on`. Pulumi's own resource option `transformations` accepts it too, in any program. */
export type Transform = pulumi.ResourceTransformation;

/** A class of resources, such as `aws.sqs.Queue`. */
export interface ResourceClass<Args, R> {
  new (name: string, args: Args, opts?: pulumi.CustomResourceOptions): R;
  /** Whether the value is a resource of this class. */
  isInstance(value: unknown): value is R;
}

/**
 * Changes the arguments and the options of every child of one class. `name` is the child's logical name, for a change of a single child.
 *
 * ```ts
 * transform: [on(aws.sqs.Queue, (args, opts, name) => { if (name.endsWith("-queue")) args.kmsMasterKeyId = "alias/queues"; })]
 * ```
 */
export function on<Args, R extends pulumi.CustomResource>(
  type: ResourceClass<Args, R>,
  change: (args: NonNullable<Args>, opts: pulumi.CustomResourceOptions, name: string) => void,
): Transform {
  return ({ resource, props, opts, name }) => {
    if (!type.isInstance(resource)) return undefined;
    const before = { ...props };
    change(props as NonNullable<Args>, opts, name);
    for (const [key, value] of Object.entries(before)) if (props[key] !== value) props[key] = asSecretAs(value, props[key]);
    return { props, opts };
  };
}

/** A value that replaces a secret becomes a secret. */
function asSecretAs(earlier: unknown, value: unknown): unknown {
  if (!pulumi.Output.isInstance(earlier)) return value;
  return pulumi.output(pulumi.isSecret(earlier).then((isSecret) => (isSecret ? pulumi.secret(value) : value)));
}

/** Adds the transforms to the options of a component. */
export const withTransforms = (
  opts: pulumi.ComponentResourceOptions = {},
  transforms: readonly Transform[] = [],
): pulumi.ComponentResourceOptions => ({ ...opts, transformations: [...transforms, ...(opts.transformations ?? [])] });
