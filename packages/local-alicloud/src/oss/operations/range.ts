/** https://www.alibabacloud.com/help/en/oss/user-guide/range-download */
import { OssError } from "../oss-error";

/** Both inclusive. */
export interface Range {
  start: number;
  end: number;
}

/**
 * The bytes that a Range header selects; undefined for the whole object. OSS answers the whole object also when the range is invalid or
 * reaches beyond the end, unless the request has `x-oss-range-behavior: standard`.
 * @throws OssError 416 `InvalidRange` in standard behaviour
 */
export function selectRange(header: string | undefined, sizeBytes: number, standard: boolean): Range | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const range: Range =
    first === ""
      ? { start: sizeBytes - Number(last), end: sizeBytes - 1 }
      : { start: Number(first), end: last === "" ? sizeBytes - 1 : Number(last) };
  if (first !== "" && last !== "" && range.start > range.end) return undefined;
  const within = range.start >= 0 && range.start < sizeBytes && range.end < sizeBytes && range.end >= range.start;
  if (within) return range;
  if (!standard) return undefined;
  if (range.start >= sizeBytes || (first === "" && Number(last) === 0))
    throw new OssError(416, "InvalidRange", "The requested range cannot be satisfied.", {
      details: { ActualObjectSize: String(sizeBytes), RangeRequested: header ?? "" },
      headers: { "content-range": `bytes */${sizeBytes}` },
    });
  return { start: Math.max(0, range.start), end: Math.min(range.end, sizeBytes - 1) };
}
