/**
 * SHA-1 and SHA-256 with a state that can be stored: Node's own hashes have none. A copy in parts takes several runs, and the digest of the whole
 * does not follow from those of its parts. https://csrc.nist.gov/pubs/fips/180-4/upd1/final
 */
const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;

export type ShaAlgorithm = "SHA1" | "SHA256";

interface Variant {
  readonly initial: readonly number[];
  /** Mixes one block into the state. */
  compress(state: Int32Array, block: DataView, offset: number, schedule: Int32Array): void;
}

const PRIMES = [2, 3, 5, 7];
for (let candidate = 11; PRIMES.length < 64; candidate += 2)
  if (PRIMES.every((prime) => candidate % prime !== 0)) PRIMES.push(candidate);
/** The first 32 bits of the fraction. Doubles are exact enough: the standard's constants have no bits beyond them. */
const fraction = (root: number): number => Math.trunc((root % 1) * 2 ** 32) | 0;
const K256 = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));

const VARIANTS: Readonly<Record<ShaAlgorithm, Variant>> = {
  SHA1: { initial: [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0], compress: compressSha1 },
  SHA256: { initial: PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime))), compress: compressSha256 },
};

function compressSha256(state: Int32Array, block: DataView, offset: number, w: Int32Array): void {
  for (let t = 0; t < 16; t++) w[t] = block.getInt32(offset + 4 * t);
  for (let t = 16; t < 64; t++) {
    const x = w[t - 15] as number;
    const y = w[t - 2] as number;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[t] = ((w[t - 16] as number) + s0 + (w[t - 7] as number) + s1) | 0;
  }
  // Single variables: an array of them makes this loop ten times slower.
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (let t = 0; t < 64; t++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (K256[t] as number) + (w[t] as number)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  // Elements of an Int32Array wrap around at 32 bits.
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
  state[4] = (state[4] as number) + e;
  state[5] = (state[5] as number) + f;
  state[6] = (state[6] as number) + g;
  state[7] = (state[7] as number) + h;
}

function compressSha1(state: Int32Array, block: DataView, offset: number, w: Int32Array): void {
  for (let t = 0; t < 16; t++) w[t] = block.getInt32(offset + 4 * t);
  for (let t = 16; t < 80; t++) {
    const x = (w[t - 3] as number) ^ (w[t - 8] as number) ^ (w[t - 14] as number) ^ (w[t - 16] as number);
    w[t] = (x << 1) | (x >>> 31);
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  for (let t = 0; t < 80; t++) {
    let mixed: number;
    if (t < 20) mixed = ((b & c) | (~b & d)) + 0x5a827999;
    else if (t < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1;
    else if (t < 60) mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else mixed = (b ^ c ^ d) + 0xca62c1d6;
    const next = (((a << 5) | (a >>> 27)) + mixed + e + (w[t] as number)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
  state[4] = (state[4] as number) + e;
}

export class ResumableSha {
  private readonly variant: Variant;
  private readonly state: Int32Array;
  private readonly schedule = new Int32Array(80);
  /** The bytes after the last whole block. */
  private tail: Uint8Array = new Uint8Array(0);
  private length = 0;

  constructor(algorithm: ShaAlgorithm) {
    this.variant = VARIANTS[algorithm];
    this.state = Int32Array.from(this.variant.initial);
  }

  /**
   * @param saved what `save` returned
   * @throws RangeError for a text that `save` did not return
   */
  static resume(algorithm: ShaAlgorithm, saved: string): ResumableSha {
    const hash = new ResumableSha(algorithm);
    const bytes = Buffer.from(saved, "base64");
    const stateBytes = hash.state.length * 4;
    const tailBytes = bytes.length - stateBytes - LENGTH_BYTES;
    if (tailBytes < 0 || tailBytes >= BLOCK_BYTES) throw new RangeError(`no saved state of ${algorithm}`);
    hash.length = Number(bytes.readBigUInt64BE(0));
    for (let word = 0; word < hash.state.length; word++) hash.state[word] = bytes.readInt32BE(LENGTH_BYTES + 4 * word);
    hash.tail = bytes.subarray(LENGTH_BYTES + stateBytes);
    if (hash.length % BLOCK_BYTES !== tailBytes) throw new RangeError(`no saved state of ${algorithm}`);
    return hash;
  }

  update(bytes: Uint8Array): void {
    this.length += bytes.length;
    const head = Math.min(bytes.length, (BLOCK_BYTES - this.tail.length) % BLOCK_BYTES);
    let rest = bytes;
    if (this.tail.length > 0) {
      this.tail = Buffer.concat([this.tail, bytes.subarray(0, head)]);
      if (this.tail.length < BLOCK_BYTES) return;
      this.blocks(this.tail);
      rest = bytes.subarray(head);
    }
    const whole = rest.length - (rest.length % BLOCK_BYTES);
    this.blocks(rest.subarray(0, whole));
    this.tail = Uint8Array.from(rest.subarray(whole));
  }

  /** The state, from which another process can go on. */
  save(): string {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeBigUInt64BE(BigInt(this.length));
    return Buffer.concat([length, this.words(), this.tail]).toString("base64");
  }

  /** The digest in base64. The hash takes no more bytes afterwards. */
  value(): string {
    const padding = Buffer.alloc(1 + ((2 * BLOCK_BYTES - 1 - LENGTH_BYTES - this.tail.length) % BLOCK_BYTES) + LENGTH_BYTES);
    padding[0] = 0x80;
    padding.writeBigUInt64BE(BigInt(this.length) * 8n, padding.length - LENGTH_BYTES);
    this.blocks(Buffer.concat([this.tail, padding]));
    return this.words().toString("base64");
  }

  private words(): Buffer {
    const words = Buffer.alloc(this.state.length * 4);
    this.state.forEach((word, index) => {
      words.writeInt32BE(word, 4 * index);
    });
    return words;
  }

  private blocks(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let offset = 0; offset < bytes.length; offset += BLOCK_BYTES)
      this.variant.compress(this.state, view, offset, this.schedule);
  }
}
