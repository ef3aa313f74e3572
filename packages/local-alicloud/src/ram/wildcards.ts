/** `*` matches any number of characters, `?` matches one. */
export function matchesWildcards(pattern: string, text: string, options: { ignoreCase?: boolean } = {}): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll(/\*+/g, ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, options.ignoreCase ? "si" : "s").test(text);
}

/** `acs:<service>:<region>:<account>:<rest>`; the rest may have colons. */
const ARN_FIELDS = 5;

function fieldsOf(resource: string): string[] {
  const parts = resource.split(":");
  return [...parts.slice(0, ARN_FIELDS - 1), parts.slice(ARN_FIELDS - 1).join(":")];
}

/** A wildcard does not match across fields: `acs:oss:*:bucket` is not `acs:oss:*:*:bucket`. */
export function matchesResource(pattern: string, resource: string): boolean {
  if (pattern === "*") return true;
  const fields = fieldsOf(resource);
  return fieldsOf(pattern).every((field, index) => matchesWildcards(field, fields[index] ?? ""));
}
