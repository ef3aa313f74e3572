/** Which objects go which way. Pure. */
import { OTHER_SIDE, type ProbeSide } from "../../runtime/roles/prober/names";
import { UsageError } from "../command";
import type { OperatedBridge } from "../operated-bridge";
import { sizeText } from "./sizes";

export const DIRECTIONS = ["source->destination", "destination->source"] as const;
export type Direction = (typeof DIRECTIONS)[number];
export const ASKED_DIRECTIONS = ["both", "forth", "back"] as const;
export type AskedDirection = (typeof ASKED_DIRECTIONS)[number];

export const nearSide = (direction: Direction): ProbeSide => (direction === "source->destination" ? "source" : "destination");
export const farSide = (direction: Direction): ProbeSide => OTHER_SIDE[nearSide(direction)];

export interface ProbeObject {
  /** As the probers know it. */
  name: string;
  sizeBytes: number;
  direction: Direction;
  /** 1 for the first of its size and direction. */
  number: number;
}

/** @throws UsageError when the stack has no way in the direction that was asked for */
export function directionsOf(
  asked: AskedDirection,
  { stack, config }: Pick<OperatedBridge, "stack" | "config">,
): { directions: Direction[]; remark?: string } {
  if (asked === "forth") return { directions: ["source->destination"] };
  if (config.direction === "two-way") return { directions: asked === "both" ? [...DIRECTIONS] : ["destination->source"] };
  const noWayBack = `stack ${stack} is one-way: there is no way back to measure`;
  if (asked === "back") throw new UsageError(`${noWayBack}; leave --direction out, or set direction: two-way and deploy`);
  return { directions: ["source->destination"], remark: noWayBack };
}

/** @throws UsageError when an object of one of the sizes would never be replicated */
export function assertSizesInScope(sizes: readonly number[], { config }: Pick<OperatedBridge, "config">): void {
  const { minSizeBytes, maxSizeBytes = Number.POSITIVE_INFINITY } = config.scope;
  const outside = sizes.filter((sizeBytes) => sizeBytes < minSizeBytes || sizeBytes > maxSizeBytes);
  if (outside.length === 0) return;
  const most = Number.isFinite(maxSizeBytes) ? ` to ${maxSizeBytes}` : " and more";
  const named = outside.map(sizeText).join(", ");
  throw new UsageError(
    `--sizes: ${named} would never be replicated; the stack's scope takes objects of ${minSizeBytes}${most} bytes`,
  );
}

/**
 * Round by round, so that what changes while the probe runs, such as the hour's traffic, meets every size and direction alike.
 * @param run in front of every name; apart from every other run's
 */
export function planObjects(options: {
  run: string;
  sizes: readonly number[];
  count: number;
  directions: readonly Direction[];
}): ProbeObject[] {
  const { run, sizes, count, directions } = options;
  const rounds = Array.from({ length: count }, (_, index) => index + 1);
  return rounds.flatMap((number) =>
    sizes.flatMap((sizeBytes) =>
      directions.map((direction) => ({
        name: `${run}/from-${nearSide(direction)}-${sizeBytes}-${number}`,
        sizeBytes,
        direction,
        number,
      })),
    ),
  );
}
