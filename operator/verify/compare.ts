/** Compares two listings: walks both at once, and says for each key what the listings alone can say. */
import { BridgeError } from "../../runtime/stores/errors";
import { compareKeys } from "../../runtime/stores/keys";
import type { ListedObject } from "../../runtime/stores/object-store";
import { keyText } from "../text";

/** One key on both sides. At least one of the two objects is there. */
export interface Pair {
  /** As at the source. */
  key: string;
  source: ListedObject | undefined;
  destination: ListedObject | undefined;
}

/** A listing, read a page at a time. The next page is asked for while this one is compared. */
export class Cursor {
  private readonly pages: AsyncIterator<ListedObject[]>;
  private coming: Promise<IteratorResult<ListedObject[]>> | undefined;
  private page: readonly ListedObject[] = [];
  private index = 0;
  private last: string | undefined;
  private ended = false;

  /** @param keyPrefix is removed from each key */
  constructor(
    pages: AsyncIterable<ListedObject[]>,
    private readonly keyPrefix: string,
  ) {
    this.pages = pages[Symbol.asyncIterator]();
    this.ask();
  }

  /** The next object. Undefined: the page is used up, or the listing has ended. */
  get current(): ListedObject | undefined {
    return this.page[this.index];
  }

  get isAtEnd(): boolean {
    return this.ended;
  }

  /** The key of the object as at the source. */
  keyOf({ key }: ListedObject): string {
    return this.keyPrefix === "" ? key : key.slice(this.keyPrefix.length);
  }

  advance(): void {
    this.index += 1;
  }

  /**
   * Reads until there is a current object or the listing has ended.
   * @throws BridgeError if the listing is not in the order of keys: the comparison would be wrong without a word
   */
  async fill(): Promise<void> {
    while (this.index >= this.page.length && !this.ended) {
      const { done, value } = (await this.coming) as IteratorResult<ListedObject[]>;
      this.coming = undefined;
      this.ended = done === true;
      this.page = this.ended ? [] : (value as ListedObject[]);
      this.index = 0;
      this.checkOrder();
      if (!this.ended) this.ask();
    }
  }

  /** Ends the listing early. */
  async close(): Promise<void> {
    // Its failure does not matter any more.
    await this.coming?.catch(() => undefined);
    await this.pages.return?.();
  }

  private ask(): void {
    this.coming = this.pages.next();
    // Reported by the `fill` that needs it.
    this.coming.catch(() => undefined);
  }

  private checkOrder(): void {
    for (const { key } of this.page) {
      if (this.last !== undefined && compareKeys(this.last, key) >= 0)
        throw new BridgeError(
          "Unexpected",
          "list",
          `the listing is not in order: ${keyText(key)} came after ${keyText(this.last)}`,
        );
      this.last = key;
    }
  }
}

export interface Merged {
  /** The last key that was passed; undefined if none was. */
  last: string | undefined;
  /** Whether no key up to `until` is left. */
  isDone: boolean;
}

/** Passes each key up to `until`, in order, as far as the pages in memory reach. */
export function mergePages(
  { source, destination }: { source: Cursor; destination: Cursor },
  until: string | undefined,
  visit: (key: string, source: ListedObject | undefined, destination: ListedObject | undefined) => void,
): Merged {
  let last: string | undefined;
  for (;;) {
    const [near, far] = [source.current, destination.current];
    // A key on one side alone is certain only while the other side's next key is known.
    if ((near === undefined && !source.isAtEnd) || (far === undefined && !destination.isAtEnd)) return { last, isDone: false };
    if (near === undefined && far === undefined) return { last, isDone: true };
    const nearKey = near && source.keyOf(near);
    const farKey = far && destination.keyOf(far);
    const order = nearKey === undefined ? 1 : farKey === undefined ? -1 : nearKey === farKey ? 0 : compareKeys(nearKey, farKey);
    const key = (order <= 0 ? nearKey : farKey) as string;
    if (until !== undefined && compareKeys(key, until) > 0) return { last, isDone: true };
    visit(key, order <= 0 ? near : undefined, order >= 0 ? far : undefined);
    if (order <= 0) source.advance();
    if (order >= 0) destination.advance();
    last = key;
  }
}

/** What the listings say about a key that both sides have. `unclear`: only a look at both objects can tell. */
export type ListedVerdict = "equal" | "same size" | "other size" | "unclear";

export interface ListingRules {
  /** Whether ETags may be MD5s on both sides. An object that is encrypted with KMS has another ETag. */
  etagsCompare: boolean;
}

/** More than the clocks of two clouds differ. */
const CLOCKS_MS = 5 * 60_000;

/**
 * - `equal`: both stores computed the same MD5.
 * - `same size`: nothing speaks against it. Most objects that were copied in parts have no common checksum in a listing.
 * - `unclear`: the MD5s differ, or the replica is older than the object.
 */
export function listedVerdict(source: ListedObject, destination: ListedObject, { etagsCompare }: ListingRules): ListedVerdict {
  if (source.sizeBytes !== destination.sizeBytes) return "other size";
  if (etagsCompare && isMd5(source.etag)) {
    if (source.etag === destination.etag) return "equal";
    // OSS writes capitals.
    if (isMd5(destination.etag)) return source.etag.toLowerCase() === destination.etag.toLowerCase() ? "equal" : "unclear";
  }
  return destination.lastModified.getTime() < source.lastModified.getTime() - CLOCKS_MS ? "unclear" : "same size";
}

const MD5 = /^[0-9a-f]{32}$/i;
const isMd5 = (etag: string): boolean => etag.length === 32 && MD5.test(etag);
