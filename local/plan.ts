/** Brings a stack's plan into a form that is equal from run to run. The recorded plans of the examples have this form. */
import type { PlannedResource } from "./engine";

/** Positions in the code and the properties behind a dependency. They do not change the deployment. */
const LEFT_OUT: ReadonlySet<string> = new Set(["sourcePosition", "stackTrace", "propertyDependencies"]);
const UNORDERED: ReadonlySet<string> = new Set(["dependencies", "aliases", "additionalSecretOutputs"]);

/** https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const CODE: ReadonlySet<unknown> = new Set(["0def7320c3a5731c473e5ecbe6d01bc7", "c44067f5952c0a294b673a41bacd8c17"]);

/**
 * Sorts the resources by urn. Parses JSON documents (policies, environments), drops the code's hashes and the urns' common beginning.
 * @param resources the result of `Engine.plan`
 */
export function normalisePlan(resources: readonly PlannedResource[]): Record<string, unknown>[] {
  const stack = resources[0]?.urn.split("::").slice(0, 2).join("::") ?? "";
  const text = JSON.stringify(resources).replaceAll(`${stack}::`, "");
  return (JSON.parse(text) as PlannedResource[])
    .sort((one, other) => compare(one.urn, other.urn))
    .map((resource) => normalise(resource) as Record<string, unknown>);
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

function normalise(value: unknown): unknown {
  if (typeof value === "string") return normaliseText(value);
  if (Array.isArray(value)) return value.map(normalise);
  if (typeof value !== "object" || value === null) return value;
  if (CODE.has((value as Record<string, unknown>)[SIGNATURE])) return "code";
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !LEFT_OUT.has(name))
      .sort(([one], [other]) => compare(one, other))
      .map(([name, entry]) => [name, UNORDERED.has(name) ? [...(entry as string[])].sort(compare) : normalise(entry)]),
  );
}

/** A zip's bytes in base64, as Function Compute takes code, and their hash. */
const CODE_BYTES = /^UEsD|^[0-9a-f]{64}$/;
/** The suffix that the engine adds to a logical name. */
const RANDOM_SUFFIX = /^([a-z].*)-[0-9a-f]{7}$/;

function normaliseText(text: string): unknown {
  if (CODE_BYTES.test(text)) return "code";
  if (RANDOM_SUFFIX.test(text)) return text.replace(RANDOM_SUFFIX, "$1-random");
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return { json: normalise(JSON.parse(text)) };
  } catch {
    return text;
  }
}
