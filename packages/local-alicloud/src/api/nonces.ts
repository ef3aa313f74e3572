export interface Nonces {
  /** False when the nonce was used before. */
  use(nonce: string): boolean;
}

/** Remembers used nonces for at least `keepMs`. */
export function createNonces(keepMs: number, now: () => number): Nonces {
  // Two generations: when the younger one is `keepMs` old, the elder one is dropped as a whole.
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
