/** Checksums of a whole from those of its parts, for everything above the stores. */
export {
  base64OfCrc32,
  type CombinableAlgorithm,
  combineChecksums,
  combineCrc32,
  crc32,
  isCombinable,
} from "../stores/combine-checksums";
