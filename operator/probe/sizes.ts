/** Sizes of objects as people write them. */
import { InvalidArgumentError } from "commander";
import { MAX_PROBE_SIZE_BYTES } from "../../runtime/protocol/probe";

const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2 };
/** More would not fit side by side in one chart. */
const MAX_SIZES = 16;

/** `128KiB,1MiB` to bytes, the smallest first and each once. */
export function parseSizes(text: string): number[] {
  const sizes = [...new Set(text.split(",").map((part) => parseSize(part.trim())))].sort((a, b) => a - b);
  if (sizes.length > MAX_SIZES) throw new InvalidArgumentError(`These are ${sizes.length} sizes; at most ${MAX_SIZES} fit.`);
  return sizes;
}

function parseSize(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*(\S*)$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined)
    throw new InvalidArgumentError(`${JSON.stringify(text)} is not a size; write a number and its unit, such as 512KiB.`);
  const factor = UNITS[unit];
  if (factor === undefined) {
    const given =
      unit === "" ? `${text} has no unit` : `${JSON.stringify(unit)} in ${JSON.stringify(text)} is not a unit of this command`;
    throw new InvalidArgumentError(`${given}; allowed: ${Object.keys(UNITS).join(", ")}.`);
  }
  const sizeBytes = Number(digits) * factor;
  if (!Number.isInteger(sizeBytes)) throw new InvalidArgumentError(`${text} is not a whole number of bytes.`);
  if (sizeBytes > MAX_PROBE_SIZE_BYTES)
    throw new InvalidArgumentError(`${text} is more than a prober can hold; at most ${sizeText(MAX_PROBE_SIZE_BYTES)}.`);
  return sizeBytes;
}

/** In the largest unit that shows the size as it is. */
export function sizeText(sizeBytes: number): string {
  const [unit, factor] = Object.entries(UNITS).findLast(
    ([, bytes]) => sizeBytes >= bytes && Number.isInteger((sizeBytes / bytes) * 100),
  ) ?? ["B", 1];
  return `${sizeBytes / factor} ${unit}`;
}
