/** The source's listing in pages, in the order of keys. */
import { BridgeError } from "../../runtime/stores/errors";
import { compareKeys } from "../../runtime/stores/keys";
import type { ListedObject, ObjectStore } from "../../runtime/stores/object-store";
import { keyText } from "../text";

/** As many as a store lists at once. */
export const PAGE_SIZE = 1000;

export interface Listing {
  /** Ascending, none of them beginning with another. */
  prefixes: readonly string[];
  startAfter?: string | undefined;
  pageSize: number;
  signal: AbortSignal;
}

/**
 * Never more than one page in memory. Rejects when the listing fails, and when it is not in order: "up to this key" would mean
 * nothing.
 */
export async function* pagesOf(store: Pick<ObjectStore, "list">, listing: Listing): AsyncGenerator<ListedObject[]> {
  let page: ListedObject[] = [];
  let last = listing.startAfter;
  for await (const object of objectsOf(store, listing)) {
    if (last !== undefined && compareKeys(last, object.key) >= 0)
      throw new BridgeError(
        "Unexpected",
        "list",
        `the listing is not in order: ${keyText(object.key)} came after ${keyText(last)}`,
      );
    last = object.key;
    page.push(object);
    if (page.length === listing.pageSize) {
      yield page;
      page = [];
    }
  }
  if (page.length > 0) yield page;
}

async function* objectsOf(store: Pick<ObjectStore, "list">, { prefixes, startAfter, signal }: Listing) {
  for (const prefix of prefixes) {
    const behind = startAfter !== undefined && compareKeys(prefix, startAfter) < 0 && !startAfter.startsWith(prefix);
    // All of its keys begin with it, so all of them come before.
    if (behind) continue;
    yield* store.list(prefix, { signal, ...(startAfter === undefined ? {} : { startAfter }) });
  }
}
