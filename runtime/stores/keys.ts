import { BridgeError } from "./errors";

/** A UTF-16 surrogate without its partner: such a string has no UTF-8 form, so it cannot name an object. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** @throws BridgeError `Invalid` when no store could hold the key. */
export function assertKey(op: string, key: string, maxKeyBytes: number): void {
  if (key === "") throw new BridgeError("Invalid", op, "the key is empty: name an object");
  const length = Buffer.byteLength(key);
  if (length > maxKeyBytes)
    throw new BridgeError("Invalid", op, `the key has ${length} bytes, this store takes at most ${maxKeyBytes}`);
  if (LONE_SURROGATE.test(key)) throw new BridgeError("Invalid", op, "the key holds half a surrogate pair: it has no UTF-8 form");
}

/** Orders keys as stores list them: by UTF-8 bytes, which differs from JavaScript's `<` beyond the basic plane. */
export function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x === y) continue;
    // Surrogates (code points above U+FFFF) sort after U+E000 to U+FFFF in UTF-8 and before them in UTF-16.
    const xHigh = (x & 0xf800) === 0xd800;
    const yHigh = (y & 0xf800) === 0xd800;
    return xHigh === yHigh ? x - y : xHigh ? 1 : -1;
  }
  return a.length - b.length;
}
