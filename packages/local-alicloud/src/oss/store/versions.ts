/** What writing and deleting do to the versions of a key (newest first); pure. */
import { type DeleteMarker, isDeleteMarker, type StoredObject, type Version, type Versioning } from "./model";

export const NULL_VERSION = "null";

/** The version that a plain GET sees. */
export function currentObject(versions: readonly Version[]): StoredObject | undefined {
  const [newest] = versions;
  return newest === undefined || isDeleteMarker(newest) ? undefined : newest;
}

/** Puts a version on top; outside `Enabled` it takes the place of the null version. */
export function withVersion(versions: readonly Version[], version: Version): Version[] {
  const rest = version.versionId === NULL_VERSION ? versions.filter(({ versionId }) => versionId !== NULL_VERSION) : versions;
  return [version, ...rest];
}

export const withoutVersion = (versions: readonly Version[], versionId: string): Version[] =>
  versions.filter((version) => version.versionId !== versionId);

/** A delete that names no version. */
export function withDeletion(
  versions: readonly Version[],
  versioning: Versioning | undefined,
  marker: () => DeleteMarker,
): { versions: Version[]; marker?: DeleteMarker } {
  if (versioning === undefined) return { versions: withoutVersion(versions, NULL_VERSION) };
  const made = marker();
  return { versions: withVersion(versions, made), marker: made };
}
