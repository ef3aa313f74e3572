/** Keys under this prefix belong to bridges: never in scope, never replicated. */
export const CONTROL_PREFIX = ".crossborderbridge/";

/** Where one bridge keeps its records in the destination bucket. */
export function controlPrefix(bridgeId: string): string {
  return `${CONTROL_PREFIX}${bridgeId}/`;
}

export function inControlPrefix(key: string): boolean {
  return key.startsWith(CONTROL_PREFIX);
}
