/** The start-up of the functions as a workload of `npm run bench`. */
import { measureStartup, type Spread, type StartupResult } from "./startup";
import type { OtherWorkload, TableReport } from "./workload";

export const STARTUP: OtherWorkload = {
  kind: "other",
  name: "startup",
  groups: [],
  title: "Start-up of the functions",
  measure: async ({ quick, rounds }) => reportOf(await measureStartup(quick ? rounds : rounds * ROUNDS_EACH)),
};

/** A start takes a tenth of a second, so there are more rounds than of a copy. */
const ROUNDS_EACH = 3;
/** The bundle that loads everything of the sender and presigns a URL. */
const PRESIGNING = "aws-lambda/sender + presign";
const MOST_OF_MINIMAL = 0.75;

export function reportOf(results: readonly StartupResult[]): TableReport {
  return {
    head: [
      "Bundle",
      "KiB",
      "Wall ms: min / median / max",
      "CPU ms",
      "Wall of the minimal bundle's",
      "CPU of the minimal bundle's",
    ],
    rows: results.map(({ name, sizeBytes, wallMs, cpuMs, ofMinimal }) => [
      name,
      (sizeBytes / 1024).toFixed(0),
      spreadText(wallMs),
      cpuMs.median.toFixed(1),
      ofMinimal.wall.toFixed(2),
      ofMinimal.cpu.toFixed(2),
    ]),
    notes: [
      "From before the bundle is loaded to the end of the load, or of the presigning; without the start of Node.js. The minimal bundle holds " +
        "`@aws-sdk/client-s3` and its presigner, bundled in the same way, and presigns one URL.",
    ],
    targets: results
      .filter(({ name }) => name === PRESIGNING)
      .map(({ ofMinimal }) => ({
        target: `load and first presigned URL of the sender: at most ${MOST_OF_MINIMAL} x the minimal bundle's`,
        measured: `${ofMinimal.wall.toFixed(2)} of the time, ${ofMinimal.cpu.toFixed(2)} of the CPU`,
        isMet: ofMinimal.wall <= MOST_OF_MINIMAL,
      })),
  };
}

const spreadText = ({ min, median, max }: Spread): string => [min, median, max].map((ms) => ms.toFixed(1)).join(" / ");
