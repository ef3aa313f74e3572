import { ApiError } from "local-alicloud";
import { badTags, notNamedAs, notOneOf, outsideRange } from "../checks";
import { type AlicloudContext, ignoreMissing, resource, servicesOf } from "../context";

const PROJECT = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
const STORE = /^[a-z0-9][a-z0-9_-]{0,61}[a-z0-9]$/;

/** https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createproject */
export const project = resource({
  token: "alicloud:log/project:Project",
  inputs: { "projectName!": "string", description: "string", tags: "map" },
  computed: ["name", "status"],
  replaceOn: ["projectName"],
  check: function* ({ projectName, tags }) {
    yield* notNamedAs("projectName", projectName, PROJECT, "3 to 63 of a-z, 0-9 and hyphen");
    yield* badTags(tags);
  },
  create: async (context, settings) => {
    const { records } = servicesOf(context);
    records.logProjects.create(context.region, settings.projectName, { settings, createdAt: Date.now() });
    return settings.projectName;
  },
  read: async (context, id) => {
    const found = servicesOf(context).records.logProjects.get(context.region, id);
    return found && { name: id, status: "Normal" };
  },
  update: async (context, id, settings) => {
    servicesOf(context).records.logProjects.update(context.region, id, { settings });
  },
  delete: (context, id) => ignoreMissing(() => servicesOf(context).records.logProjects.delete(context.region, id)),
});

/** https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createlogstore */
export const store = resource({
  token: "alicloud:log/store:Store",
  inputs: {
    "projectName!": "string",
    "logstoreName!": "string",
    appendMeta: "boolean",
    autoSplit: "boolean",
    enableWebTracking: "boolean",
    hotTtl: "number",
    maxSplitShardCount: "number",
    meteringMode: "string",
    mode: "string",
    retentionPeriod: "number",
    shardCount: "number",
  },
  computed: ["createTime", "name", "project"],
  defaults: { appendMeta: true, retentionPeriod: 30, shardCount: 2 },
  replaceOn: ["projectName", "logstoreName"],
  // Shards are split and merged, so the number of the creation says nothing later.
  ignored: ["shardCount"],
  check: function* ({ logstoreName, autoSplit, maxSplitShardCount, mode, meteringMode, retentionPeriod }) {
    yield* notNamedAs("logstoreName", logstoreName, STORE, "2 to 63 of a-z, 0-9, _ and -");
    yield* outsideRange("retentionPeriod", retentionPeriod, 1, 3650);
    yield* outsideRange("maxSplitShardCount", maxSplitShardCount, 1, 256);
    yield* notOneOf("mode", mode, ["standard", "query", "lite"]);
    yield* notOneOf("meteringMode", meteringMode, ["ChargeByFunction", "ChargeByDataIngest"]);
    if (autoSplit && maxSplitShardCount === undefined) {
      yield { property: "maxSplitShardCount", reason: "autoSplit needs maxSplitShardCount" };
    }
  },
  create: async (context, settings) => {
    const { projectName, logstoreName } = settings;
    const { logProjects, logStores } = servicesOf(context).records;
    assertThere(logProjects.get(context.region, projectName), "ProjectNotExist", projectName);
    const id = `${projectName}:${logstoreName}`;
    logStores.create(context.region, id, { settings, createdAt: Date.now() });
    return id;
  },
  read: async (context, id, { projectName, logstoreName }) => {
    const found = servicesOf(context).records.logStores.get(context.region, id);
    if (found === undefined || !storeIsThere(context, projectName, logstoreName)) return undefined;
    // The API's time is in seconds.
    return { createTime: Math.floor((found.createdAt ?? 0) / 1000), name: logstoreName, project: projectName };
  },
  update: async (context, id, { shardCount: _, ...settings }, { shardCount }) => {
    servicesOf(context).records.logStores.update(context.region, id, { settings: { ...settings, shardCount } });
  },
  delete: (context, id) => ignoreMissing(() => servicesOf(context).records.logStores.delete(context.region, id)),
});

/** https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createindex */
export const storeIndex = resource({
  token: "alicloud:log/storeIndex:StoreIndex",
  inputs: {
    "project!": "string",
    "logstore!": "string",
    fullText: { caseSensitive: "boolean", includeChinese: "boolean", token: "string" },
    fieldSearches: [
      {
        "name!": "string",
        alias: "string",
        caseSensitive: "boolean",
        enableAnalytics: "boolean",
        includeChinese: "boolean",
        jsonKeys: [{ "name!": "string", alias: "string", docValue: "boolean", type: "string" }],
        token: "string",
        type: "string",
      },
    ],
    maxTextLen: "number",
  },
  computed: [],
  replaceOn: ["project", "logstore"],
  check: function* ({ fullText, fieldSearches = [] }) {
    if (fullText === undefined && fieldSearches.length === 0) {
      yield { property: "fullText", reason: "an index has fullText, fieldSearches or both" };
    }
    for (const [index, { type, jsonKeys = [] }] of fieldSearches.entries()) {
      yield* notOneOf(`fieldSearches[${index}].type`, type, ["long", "text", "double", "json"]);
      for (const { type: inner } of jsonKeys) {
        yield* notOneOf(`fieldSearches[${index}].jsonKeys.type`, inner, ["long", "text", "double"]);
      }
    }
  },
  create: async (context, settings) => {
    const { project: projectName, logstore } = settings;
    const id = `${projectName}:${logstore}`;
    assertThere(storeIsThere(context, projectName, logstore) || undefined, "LogStoreNotExist", id);
    servicesOf(context).records.logIndexes.create(context.region, id, { settings });
    return id;
  },
  read: async (context, id, { project: projectName, logstore }) =>
    storeIsThere(context, projectName, logstore) && servicesOf(context).records.logIndexes.get(context.region, id)
      ? {}
      : undefined,
  update: async (context, id, settings) => {
    servicesOf(context).records.logIndexes.update(context.region, id, { settings });
  },
  delete: (context, id) => ignoreMissing(() => servicesOf(context).records.logIndexes.delete(context.region, id)),
});

function storeIsThere(context: AlicloudContext, projectName: string, logstoreName: string): boolean {
  const { logProjects, logStores } = servicesOf(context).records;
  const { region } = context;
  const there = logProjects.get(region, projectName) && logStores.get(region, `${projectName}:${logstoreName}`);
  return there !== undefined;
}

function assertThere(found: unknown, code: string, name: string): void {
  if (found === undefined) throw new ApiError(404, code, `${name} does not exist.`);
}
