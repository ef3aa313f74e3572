/** Rules of the vendor's APIs on inputs, checked before a deployment. */
import type { Failure } from "../schema";

export function* outsideRange(property: string, value: number | undefined, min: number, max: number): Generator<Failure> {
  if (value !== undefined && (value < min || value > max)) {
    yield { property, reason: `${property} is ${value}; Alibaba Cloud allows ${min} to ${max}` };
  }
}

export function* notOneOf(property: string, value: string | undefined, allowed: readonly string[]): Generator<Failure> {
  if (value !== undefined && !allowed.includes(value)) {
    yield { property, reason: `${property} is ${value}; it is one of ${allowed.join(", ")}` };
  }
}

export function* notNamedAs(property: string, value: string, pattern: RegExp, rule: string): Generator<Failure> {
  if (!pattern.test(value)) yield { property, reason: `"${value}" is no ${property}: ${rule}` };
}

/** https://www.alibabacloud.com/help/en/resource-management/tag/product-overview/limits */
export function* badTags(tags: Record<string, string> = {}): Generator<Failure> {
  if (Object.keys(tags).length > 20) yield { property: "tags", reason: "a resource has at most 20 tags" };
  for (const [key, value] of Object.entries(tags)) {
    if (key.length === 0 || key.length > 128 || /^(aliyun|acs:)|https?:\/\//i.test(key)) {
      yield { property: "tags", reason: `"${key}" is no tag key: 1 to 128 characters, not of aliyun or acs: first, no URL` };
    }
    if (value.length > 128 || /https?:\/\//i.test(value)) {
      yield { property: "tags", reason: `the tag ${key} has a value that is longer than 128 characters or a URL` };
    }
  }
}
