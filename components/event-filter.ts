/** S3 compares a filter with the URL-encoded key, and OSS does not say; these characters are the same in both. */
const PLAIN = /^[A-Za-z0-9/_.-]+$/;

/**
 * The one value that a notification can filter by. Where the scope has several (or one that needs encoding), the whole bucket
 * notifies and the function behind it checks the scope.
 */
export function onlyPlain(values: readonly string[]): string | undefined {
  const [value, ...others] = values;
  return value !== undefined && others.length === 0 && PLAIN.test(value) ? value : undefined;
}
