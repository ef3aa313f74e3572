/** The parts of a stack that the policies look at: resources of bridges, and documents inside of them. */
import type { PolicyResource } from "@pulumi/policy";

/** What a policy reads of a resource. */
export type Resource = Pick<PolicyResource, "type" | "name" | "urn" | "props">;

/** The types of a resource's parents are in its URN. https://www.pulumi.com/docs/iac/concepts/resources/names/#urns */
export const isOfBridge = ({ urn }: Resource): boolean =>
  urn.split("::")[2]?.includes("crossborder:index:CrossBorderBridge$") === true;

export const ofType = (resources: readonly Resource[], ...types: string[]): Resource[] =>
  resources.filter((resource) => types.includes(resource.type) && isOfBridge(resource));

/** The text, or none where the value is something else. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export interface Statement {
  Effect?: string;
  Principal?: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

/** The statements of a policy document, which is text or an object. */
export function statementsOf(document: unknown): Statement[] {
  const parsed = typeof document === "string" ? (parse(document) as { Statement?: unknown } | undefined) : document;
  const { Statement: found } = (parsed ?? {}) as { Statement?: Statement | Statement[] };
  return found === undefined ? [] : [found].flat();
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a statement is for everybody, with or without a condition. */
export function isForAnyone({ Principal: principal }: Statement): boolean {
  const named = typeof principal === "object" && principal !== null ? Object.values(principal).flat() : [principal];
  return named.flat().includes("*");
}

/** A preview does not know some values. `@pulumi/policy` throws an error with this property when a policy reads one. */
const isUnknownValue = (error: unknown): boolean => error instanceof Error && "unknownTypeSentinel" in error;

/** The values of an object or a list that are known, and the error of the first that is not. */
export function knownValues(object: object): { values: unknown[]; unknown?: unknown } {
  const values: unknown[] = [];
  let unknown: unknown;
  for (const key of Object.keys(object)) {
    try {
      values.push((object as Record<string, unknown>)[key]);
    } catch (error) {
      if (!isUnknownValue(error)) throw error;
      unknown ??= error;
    }
  }
  return { values, unknown };
}

/** Every text in a value that is known, however deep, and in JSON inside of a text. */
export function textsIn(value: unknown): string[] {
  if (typeof value === "string") {
    const inside = /^\s*[[{]/.test(value) ? parse(value) : undefined;
    return inside === undefined ? [value] : textsIn(inside);
  }
  if (typeof value !== "object" || value === null) return [];
  return knownValues(value).values.flatMap(textsIn);
}
