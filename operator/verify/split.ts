/**
 * Splits the rest of a range of keys, so that two readers can list it. Stores do not tell how keys are distributed, so this asks for single
 * keys: first for the place at which the remaining keys branch, then for how far they reach there.
 */
import { compareKeys } from "../../runtime/stores/keys";

/** Resolves to the first key after this one, or to undefined if the listing has none. */
export type NextKey = (after: string) => Promise<string | undefined>;

export interface Rest {
  /** The last key that is taken. */
  after: string;
  /** The last key that belongs to the range. Undefined: no end. */
  until: string | undefined;
  /** Every key of the range begins with it. */
  prefix: string;
}

/** Every key that begins with `subtree` sorts before it. */
const endOf = (subtree: string): string => `${subtree}\u{10FFFF}`;
const PROBES_FOR_REACH = 6;
const LAST_ASCII = 0x7f;
const LAST_CODE_POINT = 0x10ffff;

/**
 * Resolves to a key between `after` and `until`, with at least one key of the listing behind it. Undefined if nothing is left behind `after`, or
 * if the listing cannot be split.
 */
export async function splitPoint({ after, until, prefix }: Rest, nextKey: NextKey): Promise<string | undefined> {
  const next = async (from: string): Promise<string | undefined> => {
    if (until !== undefined && compareKeys(from, until) >= 0) return undefined;
    const found = await nextKey(from);
    return found === undefined || (until !== undefined && compareKeys(found, until) > 0) ? undefined : found;
  };
  const taken = Array.from(after);
  const branch = await findBranch(taken, Array.from(prefix).length, next);
  if (branch === undefined) return undefined;
  const { depth, first } = branch;
  const stem = taken.slice(0, depth).join("");
  const low = codePointAt(taken[depth]);
  const reach = await findReach(stem, codePointAt(first[depth]), next);
  const middle = middleOf(low, reach);
  // A key at `reach` is certain, so the point stays below it.
  const point = middle === low ? endOf(stem + String.fromCodePoint(low)) : stem + String.fromCodePoint(middle);
  return compareKeys(point, after) > 0 && (until === undefined || compareKeys(point, until) < 0) ? point : undefined;
}

interface Branch {
  /** Up to this character the remaining keys begin as `after` does. */
  depth: number;
  /** The characters of the first key beyond. */
  first: string[];
}

/** The shallowest place at which a key beyond exists. What is beyond at one depth is beyond at each deeper one, so this halves. */
async function findBranch(taken: readonly string[], shallowest: number, next: NextKey): Promise<Branch | undefined> {
  let [low, high] = [shallowest, taken.length - 1];
  let found: Branch | undefined;
  while (low <= high) {
    const depth = Math.floor((low + high) / 2);
    const key = await next(endOf(taken.slice(0, depth + 1).join("")));
    if (key === undefined) low = depth + 1;
    else {
      found = { depth, first: Array.from(key) };
      high = depth - 1;
    }
  }
  return found;
}

/** A character up to which keys after the stem are known to reach; `first` if no later one was found. */
async function findReach(stem: string, first: number, next: NextKey): Promise<number> {
  let low = first;
  let high = first < LAST_ASCII ? LAST_ASCII : LAST_CODE_POINT;
  for (let probe = 0; probe < PROBES_FOR_REACH && high - low > 1; probe++) {
    const middle = middleOf(low, high);
    const key = await next(stem + String.fromCodePoint(middle));
    const isBelow = key?.startsWith(stem) === true;
    const character = isBelow ? codePointAt(Array.from(key.slice(stem.length))[0]) : undefined;
    if (character === undefined || character < middle) high = middle;
    // The key itself may end at the middle's character.
    else if (character <= low) break;
    else low = character;
  }
  return low;
}

/** Rounds down. No character has the number of a surrogate. */
function middleOf(low: number, high: number): number {
  const middle = Math.floor((low + high) / 2);
  return middle >= 0xd800 && middle <= 0xdfff ? Math.max(low, 0xd7ff) : middle;
}

const codePointAt = (character: string | undefined): number => character?.codePointAt(0) ?? 0;
