/** The arguments of a bridge, from what a program in another language sent. */
import * as pulumi from "@pulumi/pulumi";
import type { CrossBorderBridgeArgs } from "../args";
import type { CloudProvider, Side } from "../cloud";
import { LATE_SETTINGS } from "../config/late";
import { CLOUD_COMPONENTS } from "../registry";

type Values = Record<string, unknown>;

const isObject = (value: unknown): value is Values => typeof value === "object" && value !== null && !Array.isArray(value);
const holdsLate = (path: string): boolean => LATE_SETTINGS.some((one) => one.startsWith(`${path}.`));

/**
 * An SDK that has no outputs inside of objects sends a whole section as one output. The section is opened: its settings are plain, and a value that may
 * come from another resource stays an output, with its dependencies. A section that is not known stays as it is, and the component refuses it.
 */
async function opened(path: string, value: unknown): Promise<unknown> {
  if (!pulumi.Output.isInstance(value) || LATE_SETTINGS.includes(path)) return value;
  const known = await knownValue(value);
  if (!isObject(known) || !holdsLate(path)) return known ?? value;
  const entries = Object.entries(known).map(([key, inside]): [string, unknown] => [
    key,
    LATE_SETTINGS.includes(`${path}.${key}`) ? value.apply((section) => (section as Values)[key]) : inside,
  ]);
  return Object.fromEntries(entries);
}

/** The value of an output, or undefined where it is not known. */
async function knownValue<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  const { isKnown, promise } = output as unknown as { isKnown: Promise<boolean>; promise(): Promise<T> };
  return (await isKnown) ? promise.call(output) : undefined;
}

/** @param opts those of the bridge: a provider that is made here has the bridge's parent */
export async function argumentsOf(
  name: string,
  inputs: Readonly<Values>,
  opts: pulumi.ComponentResourceOptions,
): Promise<CrossBorderBridgeArgs> {
  const entries = Object.entries(inputs).map(async ([key, value]) => [key, await opened(key, value)] as const);
  const args = Object.fromEntries(await Promise.all(entries));
  for (const side of ["source", "destination"] as const) {
    const section = args[side];
    if (isObject(section)) args[side] = { ...section, provider: await opened(`${side}.provider`, section.provider) };
    if (isObject(args[side]) && args[side].provider === undefined) {
      const provider = ownProvider(name, side, args[side], opts);
      args[side] = { ...args[side], ...(provider === undefined ? {} : { provider }) };
    }
  }
  // The component checks every argument.
  return args as unknown as CrossBorderBridgeArgs;
}

function ownProvider(
  name: string,
  side: Side,
  settings: Values,
  opts: pulumi.ComponentResourceOptions,
): CloudProvider | undefined {
  const { cloud, region, profile, accountId } = settings;
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const components = Object.entries(CLOUD_COMPONENTS).find(([known]) => known === cloud)?.[1];
  const there = text(region);
  if (components === undefined || there === undefined) return undefined;
  const given = { region: there, profile: text(profile), accountId: text(accountId) };
  return components.provider.create(`${name}-${side}`, side, given, opts.parent === undefined ? {} : { parent: opts.parent });
}
