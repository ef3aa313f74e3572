/**
 * `*` matches any number of characters, `?` matches one. It takes at most the product of both lengths: a regular expression with several `*` would take
 * a power of the text's.
 */
export function matchesWildcards(pattern: string, text: string, options: { ignoreCase?: boolean } = {}): boolean {
  const [wanted, given] = options.ignoreCase ? [pattern.toLowerCase(), text.toLowerCase()] : [pattern, text];
  let [at, index] = [0, 0];
  // Where the last `*` was, and up to where it matches.
  let [star, matched] = [-1, 0];
  while (index < given.length) {
    if (wanted[at] === "*") {
      [star, matched] = [at, index];
      at += 1;
    } else if (wanted[at] === "?" || wanted[at] === given[index]) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      matched += 1;
      [at, index] = [star + 1, matched];
    } else return false;
  }
  while (wanted[at] === "*") at += 1;
  return at === wanted.length;
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
