/** Refuses to move a deployed bridge, in the preview, before anything is replaced. */
import * as pulumi from "@pulumi/pulumi";
import { type BridgeConfig, ConfigInvalid } from "./config";
import { checkedFor } from "./config/errors";

type Side = "source" | "destination";
type Declared = Pick<BridgeConfig, "name" | Side>;

/** The facts of a bridge that stay the same for its whole life. */
export interface Place {
  name: string;
  source: SidePlace;
  destination: SidePlace;
}

interface SidePlace {
  region: string;
  /** Absent where the configuration does not name the account. */
  accountId?: string | undefined;
}

const sidePlace = ({ region, accountId }: BridgeConfig[Side]): SidePlace => ({
  region,
  ...(accountId === undefined ? {} : { accountId }),
});

export const placeOf = ({ name, source, destination }: Declared): Place => ({
  name,
  source: sidePlace(source),
  destination: sidePlace(destination),
});

/**
 * Keeps the place of the first deployment in the stack's state, and compares every later one with it. A stash keeps the value that it was
 * created with. It belongs to one pair of clouds: in another cloud nothing of a side has the same name.
 * @param name logical name of the stash; it must stay the same when the bridge is renamed
 * @param component the bridge, for the problems
 */
export function keepPlace(
  name: string,
  config: Declared,
  { component, parent }: { component: string; parent: pulumi.Resource },
): void {
  const { source, destination } = config;
  const now = placeOf(config);
  const stash = new pulumi.Stash(`${name}-${source.cloud}-${destination.cloud}`, { input: now }, { parent });
  stash.output.apply((first: Place | null | undefined) => checkedFor(component, () => assertPlace(first, now)));
}

/**
 * @param first absent in a program's own tests, whose mocks give a stash no output; null where the stash was imported
 * @throws ConfigInvalid with a problem for each part that is another one now
 */
export function assertPlace(first: Place | null | undefined, now: Place): void {
  const problems = first ? movesFrom(first, now) : [];
  if (problems.length > 0) throw new ConfigInvalid(problems);
}

const WAY_OUT =
  'To move the bridge, run pulumi destroy first, or deploy another bridge in a new stack (docs/operations.md, "Moving a bridge")';

type Change = [path: string, before: string | undefined, after: string | undefined, why: string];

/** A problem for each part that is another one now. */
export function movesFrom(first: Place, now: Place): string[] {
  const changes: Change[] = [
    ["name", first.name, now.name, "its name is part of every resource's name and of every replica's provenance"],
    ...(["source", "destination"] as const).flatMap((side): Change[] => [
      [
        `${side}.region`,
        first[side].region,
        now[side].region,
        "names of buckets and roles exist once in all regions, so nothing can be created anew elsewhere",
      ],
      [`${side}.accountId`, first[side].accountId, now[side].accountId, "everything on this side is in the other account"],
    ]),
  ];
  return changes
    .filter(([, before, after]) => before !== undefined && after !== undefined && before !== after)
    .map(
      ([path, before, after, why]) =>
        `${path} = ${JSON.stringify(after)}: this bridge is deployed with ${JSON.stringify(before)}, and cannot be moved: ${why}; allowed: ${before}. ${WAY_OUT}`,
    );
}
