/** Pure functions on the versions of a key, newest first. */
import { type DeleteMarker, isDeleteMarker, type StoredObject, type Version, type Versioning } from "./model";

export const NULL_VERSION = "null";

/** The version that a GET without a version id returns. */
export function currentObject(versions: readonly Version[]): StoredObject | undefined {
  const [newest] = versions;
  return newest === undefined || isDeleteMarker(newest) ? undefined : newest;
}

/** Adds a version as the newest. A null version replaces the earlier null version. */
export function withVersion(versions: readonly Version[], version: Version): Version[] {
  const rest = version.versionId === NULL_VERSION ? versions.filter(({ versionId }) => versionId !== NULL_VERSION) : versions;
  return [version, ...rest];
}

export const withoutVersion = (versions: readonly Version[], versionId: string): Version[] =>
  versions.filter((version) => version.versionId !== versionId);

/** A delete without a version id. */
export function withDeletion(
  versions: readonly Version[],
  versioning: Versioning | undefined,
  marker: () => DeleteMarker,
): { versions: Version[]; marker?: DeleteMarker } {
  if (versioning === undefined) return { versions: withoutVersion(versions, NULL_VERSION) };
  const made = marker();
  return { versions: withVersion(versions, made), marker: made };
}
