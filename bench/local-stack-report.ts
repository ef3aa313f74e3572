/** The local stack as a workload of `npm run bench`. */
import { grouped } from "../operator/text";
import {
  describe,
  type LoadResult,
  type LocalStackResults,
  measureLocalStack,
  type Quantiles,
  type Workload,
} from "./local-stack";
import type { OtherWorkload, TableReport } from "./workload";

const QUICK: readonly Workload[] = [{ rate: 1, seconds: 5 }, { burst: 100 }];

export const LOCAL_STACK: OtherWorkload = {
  kind: "other",
  name: "local-stack",
  groups: [],
  title: "The stack of `npm start`: S3 to S3, 4 KiB objects",
  async measure({ quick, onProgress }) {
    return reportOf(await measureLocalStack({ workloads: quick ? QUICK : undefined, onProgress }));
  },
};

/** The rate that a burst of this many objects must reach, unless the emulator alone carries less. */
const BURST = 1_000;
const LEAST_RATE = 100;
const SHARE_OF_EMULATOR = 0.9;
/** The lag at one object a second may be this much above the emulator's. */
const MOST_EXTRA_LAG_MS = 50;

export function reportOf({ loads, bare }: LocalStackResults): TableReport {
  return {
    head: ["Load", "Objects/s", "Lag ms: p50 / p95 / p99", "CPU s by process"],
    rows: [
      ...loads.map(({ workload, objectsPerSecond, lagMs, cpuSeconds }) => [
        describe(workload),
        rate(objectsPerSecond),
        lagText(lagMs),
        cpuText(cpuSeconds),
      ]),
      [
        "the emulator alone: the same calls by a bare client",
        rate(bare.objectsPerSecond),
        lagText(bare.lagMs),
        cpuText(bare.cpuSeconds),
      ],
    ],
    notes: [
      "The lag is from the write at the source to the write at the destination. That of the emulator alone is of the same calls one after the other, " +
        "with one invocation of each of the two functions.",
    ],
    targets: loads.flatMap((load) => targetsOf(load, bare)),
  };
}

function targetsOf({ workload, objectsPerSecond, lagMs }: LoadResult, bare: LocalStackResults["bare"]): TableReport["targets"] {
  if ("burst" in workload && workload.burst === BURST) {
    const share = objectsPerSecond / bare.objectsPerSecond;
    return [
      {
        target: `a burst of ${grouped(BURST)}: at least ${LEAST_RATE}/s, or ${SHARE_OF_EMULATOR} of what the emulator alone carries`,
        measured: `${rate(objectsPerSecond)}/s, ${share.toFixed(2)} of the emulator's ${rate(bare.objectsPerSecond)}/s`,
        isMet: objectsPerSecond >= LEAST_RATE || share >= SHARE_OF_EMULATOR,
      },
    ];
  }
  if ("rate" in workload && workload.rate === 1) {
    const extraMs = lagMs.p50 - bare.lagMs.p50;
    return [
      {
        target: `the median lag at 1 object/s is at most ${MOST_EXTRA_LAG_MS} ms above the emulator's own`,
        measured: `${Math.round(lagMs.p50)} ms; the emulator ${Math.round(bare.lagMs.p50)} ms`,
        isMet: extraMs <= MOST_EXTRA_LAG_MS,
      },
    ];
  }
  return [];
}

const rate = (perSecond: number): string => grouped(Math.round(perSecond * 10) / 10);
const lagText = ({ p50, p95, p99 }: Quantiles): string => [p50, p95, p99].map((ms) => grouped(Math.round(ms))).join(" / ");
const cpuText = (seconds: Readonly<Record<string, number>>): string =>
  Object.entries(seconds)
    .filter(([, value]) => value >= 0.1)
    .sort(([, a], [, b]) => b - a)
    .map(([name, value]) => `${name} ${value.toFixed(1)}`)
    .join(", ");
