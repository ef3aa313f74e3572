import { ApiError } from "./contracts";

/** Records by region and name. Reading returns a copy. */
export interface Records<T extends object> {
  /** @throws ApiError 409 `<what>AlreadyExist` */
  create(region: string, name: string, value: T): T;
  get(region: string, name: string): T | undefined;
  /** Replaces the fields that are given. @throws ApiError 404 `<what>NotExist` */
  update(region: string, name: string, changes: Partial<T>): T;
  /** @throws ApiError 404 `<what>NotExist` */
  delete(region: string, name: string): void;
  /** Sorted. */
  names(region: string): string[];
}

/** For services that only store settings. `what` is the noun in error codes, e.g. `Project`. */
export function createRecords<T extends object>(what: string): Records<T> {
  const kept = new Map<string, T>();
  const keyOf = (region: string, name: string) => JSON.stringify([region, name]);
  const existing = (region: string, name: string): T => {
    const found = kept.get(keyOf(region, name));
    if (found === undefined) throw new ApiError(404, `${what}NotExist`, `${what} ${name} does not exist in ${region}.`);
    return found;
  };
  return {
    create: (region, name, value) => {
      const key = keyOf(region, name);
      if (kept.has(key)) throw new ApiError(409, `${what}AlreadyExist`, `${what} ${name} already exists in ${region}.`);
      kept.set(key, structuredClone(value));
      return structuredClone(value);
    },
    get: (region, name) => structuredClone(kept.get(keyOf(region, name))),
    update: (region, name, changes) => {
      const changed = { ...existing(region, name), ...structuredClone(changes) };
      kept.set(keyOf(region, name), changed);
      return structuredClone(changed);
    },
    delete: (region, name) => {
      existing(region, name);
      kept.delete(keyOf(region, name));
    },
    names: (region) =>
      [...kept.keys()]
        .map((key) => JSON.parse(key) as [string, string])
        .filter(([at]) => at === region)
        .map(([, name]) => name)
        .sort(),
  };
}

/** Services that only store settings, such as logs and alarms. */

/** The settings of one resource. */
export interface Settings {
  settings: Record<string, unknown>;
  /** Ms since the epoch. */
  createdAt?: number | undefined;
}

export interface SettingRecords {
  logProjects: Records<Settings>;
  logStores: Records<Settings>;
  logIndexes: Records<Settings>;
  logDashboards: Records<Settings>;
  alarms: Records<Settings>;
  contacts: Records<Settings>;
  contactGroups: Records<Settings>;
}

export function createSettingRecords(): SettingRecords {
  return {
    logProjects: createRecords("Project"),
    logStores: createRecords("LogStore"),
    logIndexes: createRecords("Index"),
    logDashboards: createRecords("Dashboard"),
    alarms: createRecords("Rule"),
    contacts: createRecords("Contact"),
    contactGroups: createRecords("ContactGroup"),
  };
}
