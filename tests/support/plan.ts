/** Converts a recorded stack to plain JSON that is equal in every run. Golden plans are stored in it. */
import * as pulumi from "@pulumi/pulumi";
import type { RecordedResource } from "./record-resources";

export interface PlannedResource extends Omit<RecordedResource, "inputs"> {
  inputs: unknown;
}

/** Sorts resources by urn, parses JSON documents, and leaves out the bytes of code and unset options. */
export function planOf(resources: readonly RecordedResource[]): PlannedResource[] {
  return resources.map(plainOf).sort((one, other) => (one.urn < other.urn ? -1 : 1));
}

function plainOf({ inputs, ...resource }: RecordedResource): PlannedResource {
  const { outputsRegistered } = resource;
  const set = Object.fromEntries(
    Object.entries(resource).filter(
      ([, value]) => value !== false && value !== 0 && !(Array.isArray(value) && value.length === 0),
    ),
  ) as Omit<PlannedResource, "inputs">;
  return { ...set, outputsRegistered, inputs: plain(inputs) };
}

function plain(value: unknown): unknown {
  if (typeof value === "string") return plainText(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (pulumi.asset.Archive.isInstance(value) || pulumi.asset.Asset.isInstance(value)) return "code";
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, entry]) => [name, plain(entry)]),
  );
}

/** A zip in base64 (the code of a function in Function Compute) or its hash. */
const CODE = /^UEsD|^[0-9a-f]{64}$/;

function plainText(text: string): unknown {
  if (CODE.test(text)) return "code";
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return { json: plain(JSON.parse(text)) };
  } catch {
    return text;
  }
}
