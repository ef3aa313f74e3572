/** What the arguments of `status` ask for: single keys, or all keys that begin with a prefix. */
import { UsageError } from "../command";

export interface Asked {
  keys: string[];
  prefix: string;
}

/**
 * An argument that ends with `/` is a prefix. An object of that very key, as consoles make them for folders, is one of the keys that begin with it.
 * @param prefix of the option `--prefix`; empty if there is none
 * @throws UsageError for more than one prefix, and for a prefix beside keys
 */
export function askedFor(args: readonly string[], prefix: string): Asked {
  const prefixes = [...args.filter((arg) => arg.endsWith("/")), ...(prefix === "" ? [] : [prefix])];
  const keys = args.filter((arg) => !arg.endsWith("/"));
  const [one = "", ...more] = prefixes;
  if (more.length > 0) throw new UsageError(`name one prefix at a time: ${prefixes.join(", ")}`);
  if (prefixes.length > 0 && keys.length > 0) throw new UsageError("name keys or one prefix, not both");
  return { keys, prefix: one };
}
