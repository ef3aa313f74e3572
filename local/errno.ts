/**
 * Whether an error of the system has one of these codes. Not by `instanceof`: under a test runner such errors come from outside
 * the sandbox and are instances of another `Error`.
 */
export function isErrno(error: unknown, ...codes: string[]): boolean {
  return typeof error === "object" && error !== null && "code" in error && codes.includes(String(error.code));
}
