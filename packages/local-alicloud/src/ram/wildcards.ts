/** `*` stands for any number of characters, `?` for one. */
export function matchesWildcards(pattern: string, text: string, options: { ignoreCase?: boolean } = {}): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll(/\*+/g, ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, options.ignoreCase ? "si" : "s").test(text);
}

/** `acs:<service>:<region>:<account>:<the rest, colons and all>` */
const ARN_FIELDS = 5;

function fieldsOf(resource: string): string[] {
  const parts = resource.split(":");
  return [...parts.slice(0, ARN_FIELDS - 1), parts.slice(ARN_FIELDS - 1).join(":")];
}

/** A wildcard stands for something inside its own field, so that `acs:oss:*:bucket` is no way to write `acs:oss:*:*:bucket`. */
export function matchesResource(pattern: string, resource: string): boolean {
  if (pattern === "*") return true;
  const fields = fieldsOf(resource);
  return fieldsOf(pattern).every((field, index) => matchesWildcards(field, fields[index] ?? ""));
}
