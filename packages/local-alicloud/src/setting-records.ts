/** Services that only keep settings: nothing on one machine reads them. */
import { createRecords, type Records } from "./records";

/** What a resource of such a service was given. */
export interface Settings {
  settings: Record<string, unknown>;
}

export interface SettingRecords {
  logProjects: Records<Settings>;
  logStores: Records<Settings>;
  logIndexes: Records<Settings>;
  alarms: Records<Settings>;
}

export function createSettingRecords(): SettingRecords {
  return {
    logProjects: createRecords("Project"),
    logStores: createRecords("LogStore"),
    logIndexes: createRecords("Index"),
    alarms: createRecords("Rule"),
  };
}
