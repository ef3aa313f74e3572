/** Which objects a probe sends in which direction. */
import { OTHER_SIDE, type ProbeSide } from "../../runtime/roles/prober/names";
import { UsageError } from "../command";
import type { OperatedBridge } from "../operated-bridge";
import { sizeText } from "../text";

export const DIRECTIONS = ["source->destination", "destination->source"] as const;
export type Direction = (typeof DIRECTIONS)[number];
export const ASKED_DIRECTIONS = ["both", "forth", "back"] as const;
export type AskedDirection = (typeof ASKED_DIRECTIONS)[number];

export const nearSide = (direction: Direction): ProbeSide => (direction === "source->destination" ? "source" : "destination");
export const farSide = (direction: Direction): ProbeSide => OTHER_SIDE[nearSide(direction)];

export interface ProbeObject {
  /** The name by which the probers know it. */
  name: string;
  sizeBytes: number;
  direction: Direction;
  /** 1 for the first of its size and direction. */
  number: number;
}

/** @throws UsageError if the stack does not replicate in the requested direction */
export function directionsOf(
  asked: AskedDirection,
  { stack, config }: Pick<OperatedBridge, "stack" | "config">,
): { directions: Direction[]; remark?: string | undefined } {
  if (asked === "forth") return { directions: ["source->destination"] };
  if (config.direction === "two-way") return { directions: asked === "both" ? [...DIRECTIONS] : ["destination->source"] };
  const noWayBack = `stack ${stack} is one-way: there is no way back to measure`;
  if (asked === "back") throw new UsageError(`${noWayBack}; leave --direction out, or set direction: two-way and deploy`);
  return { directions: ["source->destination"], remark: noWayBack };
}

/** @throws UsageError if objects of one of the sizes are out of scope */
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
 * Plans the objects round by round: a change of traffic during the probe then affects every size and direction alike.
 * @param options.run unique prefix of every name
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
