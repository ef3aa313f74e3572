/**
 * True for a system error with one of these codes. It does not use `instanceof`: in Jest's sandbox such errors are instances of
 * another `Error`.
 */
export function isErrno(error: unknown, ...codes: string[]): boolean {
  return typeof error === "object" && error !== null && "code" in error && codes.includes(String(error.code));
}
