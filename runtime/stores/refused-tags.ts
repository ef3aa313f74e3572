/** Names the tags that a store refuses. Both vendors answer `InvalidTag` and do not say which tag they mean. */
import type { Tags } from "../protocol/snapshot";
import { BridgeError, isBridgeError } from "./errors";
import { refusalCode } from "./refusals";

/** The characters that every store takes: those of the documentation, with the letters and digits of every script. */
const USUAL = /^[\p{L}\p{M}\p{N} +\-=._:/]*$/u;

const MAX_NAMED_CHARACTERS = 800;

/** @throws BridgeError `Invalid` with the names and values of the tags when the store refuses one. */
export async function namingRefusedTags<T>(tags: Tags, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!isBridgeError(error, "Invalid") || refusalCode(error) !== "InvalidTag") throw error;
    const all = Object.entries(tags);
    const unusual = all.filter(([name, value]) => !USUAL.test(name) || !USUAL.test(value) || /^(aws|acs):/i.test(name));
    const named = (unusual.length > 0 ? unusual : all).map(([name, value]) => `${JSON.stringify(name)}=${JSON.stringify(value)}`);
    const list = named.join(", ").slice(0, MAX_NAMED_CHARACTERS);
    throw new BridgeError("Invalid", error.op, `the store refuses a tag (InvalidTag): ${list}; change it at the source`, {
      cause: error,
    });
  }
}
