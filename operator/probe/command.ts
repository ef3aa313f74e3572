/** `npm run bridge -- probe`: its options. */
import { InvalidArgumentError, Option } from "commander";
import { MAX_PROBE_SIZE_BYTES } from "../../runtime/protocol/probe";
import { bridgeCommand, type RegisterCommand, whole } from "../command";
import { SIZE_UNITS, sizeText } from "../text";
import { ASKED_DIRECTIONS } from "./plan";
import { type ProbeOptions, probe, systemDeps } from "./probe";

const DEFAULT_SIZES = "128KiB,256KiB,512KiB,1MiB,2MiB,4MiB";

export const registerProbe: RegisterCommand = (program, onBridge) => {
  const sizes = `of the objects, up to ${sizeText(MAX_PROBE_SIZE_BYTES)}, each in B, KiB or MiB`;
  bridgeCommand(program, "probe", "Measures how long objects take from one side to the other, and draws a chart of it.")
    .addOption(new Option("--sizes <list>", sizes).argParser(parseSizes).default(parseSizes(DEFAULT_SIZES), DEFAULT_SIZES))
    .option("--count <n>", "objects of each size in each direction", whole(1, 1000), 5)
    .addOption(new Option("--direction <which>", "back only in a two-way stack").choices(ASKED_DIRECTIONS).default("both"))
    .option("--attempts <n>", "checks for an object before it is given up", whole(1, 1_000_000), 600)
    .option("--interval-ms <n>", "between two checks", whole(10, 60_000), 500)
    .option(
      "--parallel <n>",
      "objects on their way at once; objects that are on their way together may delay each other",
      whole(1, 64),
      1,
    )
    .option("--pause-ms <n>", "after each object", whole(0, 86_400_000), 0)
    .option("--out <folder>", "for records, summary and chart (default: ./probe-<stack>-<time>)")
    .action((options: ProbeOptions) => onBridge(options, (context) => probe(context, options, systemDeps)));
};

/** More do not fit into the chart. */
const MAX_SIZES = 16;

/** Parses `128KiB,1MiB` to bytes: ascending, without duplicates. */
export function parseSizes(text: string): number[] {
  const sizes = [...new Set(text.split(",").map((part) => parseSize(part.trim())))].sort((a, b) => a - b);
  if (sizes.length > MAX_SIZES) throw new InvalidArgumentError(`These are ${sizes.length} sizes; at most ${MAX_SIZES} fit.`);
  return sizes;
}

function parseSize(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*(\S*)$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined)
    throw new InvalidArgumentError(`${JSON.stringify(text)} is not a size; write a number and its unit, such as 512KiB.`);
  const factor = SIZE_UNITS[unit];
  if (factor === undefined) {
    const given =
      unit === "" ? `${text} has no unit` : `${JSON.stringify(unit)} in ${JSON.stringify(text)} is not a unit of this command`;
    throw new InvalidArgumentError(`${given}; allowed: ${Object.keys(SIZE_UNITS).join(", ")}.`);
  }
  const sizeBytes = Number(digits) * factor;
  if (!Number.isInteger(sizeBytes)) throw new InvalidArgumentError(`${text} is not a whole number of bytes.`);
  if (sizeBytes > MAX_PROBE_SIZE_BYTES)
    throw new InvalidArgumentError(`${text} is more than a prober can hold; at most ${sizeText(MAX_PROBE_SIZE_BYTES)}.`);
  return sizeBytes;
}
