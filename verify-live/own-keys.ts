/** The keys that a run may write and delete: only those under prefixes that hold the run's own id. */
import type { OperatedBridge } from "../operator/operated-bridge";
import { scopesOf } from "../operator/scopes";
import { controlPrefix } from "../runtime/protocol/control";
import type { Tags } from "../runtime/protocol/snapshot";

/** Behind the first prefix of the scope, so that the bridge takes these keys up. */
const FOLDER = "crossborderbridge-verify/";

export interface OwnKeys {
  /** Keys at the source that the bridge replicates begin with this. */
  crossing: string;
  /** Keys that no bridge replicates begin with this, on both sides. */
  still: string;
  /** The key at the source of an object that the bridge replicates. */
  key(name: string): string;
  /** The tags that an object needs to be in scope. */
  tags: Tags;
  /** At least so many bytes, and at most `maxSizeBytes`, bring an object into scope. */
  minSizeBytes: number;
  maxSizeBytes: number;
}

/** @param run unique: letters, digits and hyphens */
export function ownKeys(config: OperatedBridge["config"], run: string): OwnKeys {
  if (!/^[A-Za-z0-9-]{8,}$/.test(run)) throw new Error(`${JSON.stringify(run)} is no id of a run`);
  const [scope] = scopesOf(config);
  const { prefixes = [], suffixes = [], tags = {}, minSizeBytes = 0, maxSizeBytes } = scope ?? {};
  const crossing = `${prefixes[0] ?? ""}${FOLDER}${run}/`;
  return {
    crossing,
    still: `${controlPrefix(config.name)}verify/${run}/`,
    key: (name) => `${crossing}${name}${suffixes[0] ?? ""}`,
    tags: { ...tags },
    minSizeBytes,
    maxSizeBytes: maxSizeBytes ?? Number.POSITIVE_INFINITY,
  };
}

/** Everything that a run may delete on a side. */
export function ownPrefixes(
  { crossing, still }: Pick<OwnKeys, "crossing" | "still">,
  side: "source" | "destination",
  keyPrefix: string,
): string[] {
  return side === "source" ? [crossing, still] : [keyPrefix + crossing, still];
}
