/** Keys under this prefix belong to bridges: never in scope, never replicated. */
export const CONTROL_PREFIX = ".crossborderbridge/";

/** The prefix of the records of all bridges about replicas; see `provenance-record.ts`. */
export const PROVENANCE_PREFIX = `${CONTROL_PREFIX}provenance/`;

/** The prefix of one bridge's records in the destination bucket. */
export function controlPrefix(bridgeId: string): string {
  return `${CONTROL_PREFIX}${bridgeId}/`;
}

export function inControlPrefix(key: string): boolean {
  return key.startsWith(CONTROL_PREFIX);
}
