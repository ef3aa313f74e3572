/** The policy of a form upload. https://www.alibabacloud.com/help/en/oss/developer-reference/postobject */
import { accessDenied, OssError } from "../oss-error";

export interface PostPolicy {
  minBytes: number;
  maxBytes: number;
  /** Conditions on fields. */
  conditions: readonly Condition[];
}

interface Condition {
  operator: string;
  /** Lower case, without the dollar sign. */
  field: string;
  wanted: string | readonly string[];
}

const holds: Readonly<Record<string, (actual: string, wanted: string | readonly string[]) => boolean>> = {
  eq: (actual, wanted) => actual === wanted,
  "starts-with": (actual, wanted) => typeof wanted === "string" && actual.startsWith(wanted),
  in: (actual, wanted) => typeof wanted !== "string" && wanted.includes(actual),
  "not-in": (actual, wanted) => typeof wanted !== "string" && !wanted.includes(actual),
};

const invalid = (reason: string) => new OssError(400, "InvalidPolicyDocument", `Invalid Policy: ${reason}`);

/**
 * @param encoded base64 of a JSON document
 * @throws OssError `InvalidPolicyDocument`, `AccessDenied` when it has expired
 */
export function readPolicy(encoded: string, now: number): PostPolicy {
  const document = parsed(encoded);
  const { expiration, conditions } = document;
  if (expiration === undefined) throw invalid("Policy missing expiration.");
  const expiresAt = typeof expiration === "string" ? Date.parse(expiration) : Number.NaN;
  if (Number.isNaN(expiresAt)) throw invalid(`Invalid 'expiration' value: '${String(expiration)}'.`);
  if (conditions === undefined) throw invalid("Policy missing conditions.");
  if (!Array.isArray(conditions)) throw invalid("Invalid 'conditions' value: must be a List.");
  if (now > expiresAt) throw accessDenied("Invalid according to Policy: Policy expired.");
  const policy = { minBytes: 0, maxBytes: Number.POSITIVE_INFINITY, conditions: [] as Condition[] };
  for (const item of conditions as unknown[]) {
    if (Array.isArray(item) && item[0] === "content-length-range") Object.assign(policy, rangeOf(item));
    else policy.conditions.push(conditionOf(item));
  }
  return policy;
}

function parsed(encoded: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
  } catch {
    throw invalid("Invalid JSON.");
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) throw invalid("Invalid JSON.");
  return document as Record<string, unknown>;
}

function rangeOf(item: readonly unknown[]): { minBytes: number; maxBytes: number } {
  const [, minBytes, maxBytes] = item;
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  if (item.length !== 3 || !isCount(minBytes) || !isCount(maxBytes) || maxBytes < minBytes)
    throw invalid("Invalid content-length-range: it needs two whole numbers, the second not less than the first.");
  return { minBytes, maxBytes };
}

function conditionOf(item: unknown): Condition {
  if (typeof item !== "object" || item === null) throw invalid("Invalid Condition: a condition must be a Map or a List.");
  if (!Array.isArray(item)) {
    const [entry, ...others] = Object.entries(item);
    if (entry === undefined || others.length > 0)
      throw invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.");
    return conditionOf(["eq", ...entry]);
  }
  const [operator, field, wanted] = item as unknown[];
  if (typeof operator !== "string" || !Object.hasOwn(holds, operator))
    throw invalid(`Invalid Condition: ${String(operator)} is unknown.`);
  const isList = operator === "in" || operator === "not-in";
  const fits = isList ? Array.isArray(wanted) && wanted.every((one) => typeof one === "string") : typeof wanted === "string";
  if (item.length !== 3 || typeof field !== "string" || !fits)
    throw invalid(`Invalid Condition: ${operator} needs a field and ${isList ? "a List of Strings" : "a String"}.`);
  return { operator, field: field.replace(/^\$/, "").toLowerCase(), wanted: wanted as Condition["wanted"] };
}

const quoted = (value: string | readonly string[]): string =>
  typeof value === "string" ? JSON.stringify(value) : `[${value.map(quoted).join(", ")}]`;

/**
 * @param fields by lower-case name; `bucket` is the bucket of the request
 * @throws OssError `AccessDenied`, also when the form lacks a field that the policy names
 */
export function assertAllowed({ conditions }: PostPolicy, fields: ReadonlyMap<string, string>): void {
  for (const { operator, field, wanted } of conditions) {
    const actual = fields.get(field);
    if (actual !== undefined && holds[operator]?.(actual, wanted) === true) continue;
    throw accessDenied(`Invalid according to Policy: Policy Condition failed: ["${operator}", "$${field}", ${quoted(wanted)}]`);
  }
}
