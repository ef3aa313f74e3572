export interface Nonces {
  /** False when it was used before. */
  use(nonce: string): boolean;
}

/** Remembers what was used for at least `keepMs`. */
export function createNonces(keepMs: number, now: () => number): Nonces {
  // Two generations, so that forgetting costs nothing: when the younger is old enough, the elder can go.
  let younger = new Set<string>();
  let elder = new Set<string>();
  let startedAt = now();
  return {
    use: (nonce) => {
      if (now() - startedAt > keepMs) {
        [elder, younger] = [younger, new Set()];
        startedAt = now();
      }
      if (younger.has(nonce) || elder.has(nonce)) return false;
      younger.add(nonce);
      return true;
    },
  };
}
