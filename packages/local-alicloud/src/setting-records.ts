/** Services that only store settings, such as logs and alarms. */
import { createRecords, type Records } from "./records";

/** The settings of one resource. */
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
