/** Log stores and their indexes. https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createlogstore */
import * as z from "zod";
import { ApiError } from "../contracts";
import type { SettingRecords } from "../records";
import { type IndexDocument, indexDocument, indexInput } from "./index-document";
import { type LogCall, type LogOperation, parameterInvalid, projectOf, readJson } from "./log-call";
import { existingProject } from "./projects";

const NAME = /^[a-z0-9][a-z0-9_-]{0,61}[a-z0-9]$/;

const updateInput = z.object({
  ttl: z.number().int().min(1).max(3650).optional(),
  autoSplit: z.boolean().optional(),
  maxSplitShard: z.number().int().min(1).max(256).optional(),
  appendMeta: z.boolean().optional(),
  enable_tracking: z.boolean().optional(),
  hot_ttl: z.number().int().min(7).optional(),
  mode: z.enum(["standard", "query"]).optional(),
  telemetryType: z.enum(["", "None"], { error: "must be empty: metric stores are not served here" }).optional(),
  encrypt_conf: z.object({ enable: z.literal(false, { error: "is not served here" }).optional() }).optional(),
});
const createInput = updateInput.extend({ logstoreName: z.string(), shardCount: z.number().int().min(1).max(10).default(2) });
const meteringInput = z.object({ meteringMode: z.enum(["ChargeByFunction", "ChargeByDataIngest"]) });

/** The settings that are kept have the names of the infrastructure providers. */
const SETTING: Readonly<Record<string, string>> = {
  ttl: "retentionPeriod",
  enable_tracking: "enableWebTracking",
  hot_ttl: "hotTtl",
  maxSplitShard: "maxSplitShardCount",
};
const FIELDS = ["ttl", "shardCount", "autoSplit", "maxSplitShard", "appendMeta", "enable_tracking", "hot_ttl", "mode"];
const DEFAULTS = { ttl: 30, shardCount: 2, autoSplit: false, appendMeta: false, enable_tracking: false, mode: "standard" };

const settingsOf = (fields: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [SETTING[name] ?? name, value]),
  );

const fieldsOf = (settings: Record<string, unknown>) => ({
  ...DEFAULTS,
  ...Object.fromEntries(FIELDS.map((name) => [name, settings[SETTING[name] ?? name]]).filter(([, value]) => value !== undefined)),
});

/** Operations by method and path; `:name` is the name of the log store. */
export function storeOperations(
  { logProjects, logStores, logIndexes }: SettingRecords,
  now: () => number,
): Record<string, LogOperation> {
  const permit = (call: LogCall, action: string, store: string) => {
    const project = projectOf(call);
    call.authorize(`log:${action}`, `project/${project}/logstore/${store}`);
    existingProject(logProjects.get(call.region, project), project);
    return `${project}:${store}`;
  };
  const existing = (call: LogCall, action: string, store: string): [id: string, settings: Record<string, unknown>] => {
    const id = permit(call, action, store);
    const found = logStores.get(call.region, id);
    if (found === undefined) throw new ApiError(404, "LogStoreNotExist", `logstore ${store} does not exist`);
    return [id, found.settings];
  };
  const seconds = () => Math.floor(now() / 1000);
  const indexOf = (call: LogCall, action: string, store: string): [id: string, index: IndexDocument | undefined] => {
    const [id] = existing(call, action, store);
    const found = logIndexes.get(call.region, id);
    return [id, found === undefined ? undefined : indexDocument(found.settings)];
  };
  const existingIndex = (call: LogCall, action: string, store: string): [id: string, index: IndexDocument] => {
    const [id, index] = indexOf(call, action, store);
    if (index === undefined) throw new ApiError(404, "IndexConfigNotExist", "index config doesn't exist");
    return [id, index];
  };

  return {
    "POST /logstores": (call) => {
      const { logstoreName, ...fields } = readJson(createInput, call.body);
      const id = permit(call, "CreateLogStore", logstoreName);
      if (!NAME.test(logstoreName)) throw parameterInvalid(`logstoreName ${logstoreName} must be 2 to 63 of a-z, 0-9, _ and -`);
      if (fields.autoSplit && fields.maxSplitShard === undefined) throw parameterInvalid("autoSplit needs maxSplitShard");
      if (logStores.get(call.region, id) !== undefined)
        throw new ApiError(400, "LogStoreAlreadyExist", `logstore ${logstoreName} already exists`);
      const about = { projectName: projectOf(call), logstoreName, createTime: seconds(), lastModifyTime: seconds() };
      logStores.create(call.region, id, { settings: { ...settingsOf(fields), ...about }, createdAt: now() });
      return {};
    },
    "GET /logstores": (call) => {
      permit(call, "ListLogStores", "*");
      const prefix = `${projectOf(call)}:`;
      const names = logStores.names(call.region).filter((id) => id.startsWith(prefix));
      const logstores = names.map((id) => id.slice(prefix.length));
      return { body: { count: logstores.length, total: logstores.length, logstores } };
    },
    "GET /logstores/:name": (call, name) => {
      const [, settings] = existing(call, "GetLogStore", name);
      const { createTime = 0, lastModifyTime = 0 } = settings;
      return { body: { logstoreName: name, ...fieldsOf(settings), telemetryType: "", createTime, lastModifyTime } };
    },
    "PUT /logstores/:name": (call, name) => {
      const [id, settings] = existing(call, "UpdateLogStore", name);
      const changes = settingsOf(readJson(updateInput, call.body));
      logStores.update(call.region, id, { settings: { ...settings, ...changes, lastModifyTime: seconds() } });
      return {};
    },
    "DELETE /logstores/:name": (call, name) => {
      const [id] = existing(call, "DeleteLogStore", name);
      if (logIndexes.get(call.region, id) !== undefined) logIndexes.delete(call.region, id);
      logStores.delete(call.region, id);
      return {};
    },
    "GET /logstores/:name/meteringmode": (call, name) => {
      const [, { meteringMode = "ChargeByFunction" }] = existing(call, "GetLogStoreMeteringMode", name);
      return { body: { meteringMode } };
    },
    "PUT /logstores/:name/meteringmode": (call, name) => {
      const [id, settings] = existing(call, "UpdateLogStoreMeteringMode", name);
      logStores.update(call.region, id, { settings: { ...settings, ...readJson(meteringInput, call.body) } });
      return {};
    },
    "GET /logstores/:name/shards": (call, name) => {
      const [, settings] = existing(call, "ListShards", name);
      return { body: shards(Number(fieldsOf(settings).shardCount), Number(settings.createTime ?? 0)) };
    },
    "GET /logstores/:name/index": (call, name) => {
      const [id, index] = existingIndex(call, "GetIndex", name);
      const ttl = fieldsOf(logStores.get(call.region, id)?.settings ?? {}).ttl;
      return { body: { ttl, index_mode: "v2", log_reduce: false, ...index } };
    },
    "POST /logstores/:name/index": (call, name) => {
      const [id, index] = indexOf(call, "CreateIndex", name);
      const document = readJson(indexInput, call.body);
      if (index !== undefined) throw new ApiError(400, "IndexAlreadyExist", "log store index is already created");
      logIndexes.create(call.region, id, { settings: { project: projectOf(call), logstore: name, document } });
      return {};
    },
    "PUT /logstores/:name/index": (call, name) => {
      const [id] = existingIndex(call, "UpdateIndex", name);
      const document = readJson(indexInput, call.body);
      logIndexes.update(call.region, id, { settings: { project: projectOf(call), logstore: name, document } });
      return {};
    },
    "DELETE /logstores/:name/index": (call, name) => {
      const [id] = existingIndex(call, "DeleteIndex", name);
      logIndexes.delete(call.region, id);
      return {};
    },
  };
}

const KEY_SPACE = 2n ** 128n;

/** Equal parts of the space of MD5 hashes. */
function shards(count: number, createTime: number): object[] {
  const key = (index: number) =>
    (index === count ? KEY_SPACE - 1n : (KEY_SPACE * BigInt(index)) / BigInt(count)).toString(16).padStart(32, "0");
  return Array.from({ length: count }, (_, shardID) => ({
    ...{ shardID, status: "readwrite", inclusiveBeginKey: key(shardID), exclusiveEndKey: key(shardID + 1), createTime },
  }));
}
