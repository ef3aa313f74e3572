import type { Infer } from "../../schema";
import type { Properties } from "../../values";
import { ignoreMissing, unlessMissing } from "../api-failure";
import { badTags, notNamedAs, notOneOf, outsideRange } from "../checks";
import { type AlicloudContext, cloudOf, resource } from "../context";
import { changeTags, type TagCalls, type Tags } from "../tags";

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
  create: async (context, { projectName, description = "", tags = {} }) => {
    const { logs } = cloudOf(context);
    await logs.call({ method: "POST", path: "/", body: { projectName, description } });
    await changeTags(tags, {}, tagCalls(context, projectName));
    return projectName;
  },
  read: async (context, id) => {
    const found = await unlessMissing(() => cloudOf(context).logs.call({ method: "GET", path: "/", project: id }));
    return found && { name: found.projectName, status: found.status };
  },
  update: async (context, id, { description = "", tags }, olds) => {
    await cloudOf(context).logs.call({ method: "PUT", path: "/", project: id, body: { description } });
    await changeTags(tags, olds.tags, tagCalls(context, id));
  },
  delete: (context, id) => ignoreMissing(() => cloudOf(context).logs.call({ method: "DELETE", path: "/", project: id })),
});

function tagCalls(context: AlicloudContext, project: string): TagCalls {
  const { logs } = cloudOf(context);
  const target = { resourceType: "PROJECT", resourceId: [project] };
  const listed = (tags: Tags) => Object.entries(tags).map(([key, value]) => ({ key, value }));
  return {
    tag: (tags) => logs.call({ method: "POST", path: "/tag", body: { ...target, tags: listed(tags) } }),
    untag: (keys) => logs.call({ method: "POST", path: "/untag", body: { ...target, tags: keys } }),
  };
}

const storeInputs = {
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
} as const;
const DEFAULTS = { appendMeta: true, retentionPeriod: 30, shardCount: 2 };

/** https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createlogstore */
export const store = resource({
  token: "alicloud:log/store:Store",
  inputs: storeInputs,
  computed: ["createTime", "name", "project"],
  defaults: DEFAULTS,
  replaceOn: ["projectName", "logstoreName"],
  kept: ["meteringMode", "mode"],
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
  create: async (context, given) => {
    const { projectName: project, logstoreName, shardCount = DEFAULTS.shardCount } = given;
    const body = { logstoreName, shardCount, ...storeBody(given) };
    await cloudOf(context).logs.call({ method: "POST", path: "/logstores", project, body });
    await putMeteringMode(context, given);
    return `${project}:${logstoreName}`;
  },
  read: async (context, _id, { projectName: project, logstoreName }) => {
    const path = `/logstores/${logstoreName}`;
    const found = await unlessMissing(() => cloudOf(context).logs.call({ method: "GET", path, project }));
    return found && { createTime: found.createTime, name: found.logstoreName, project };
  },
  update: async (context, _id, news, olds) => {
    const { projectName: project, logstoreName } = news;
    const path = `/logstores/${logstoreName}`;
    await cloudOf(context).logs.call({ method: "PUT", path, project, body: { logstoreName, ...storeBody(news) } });
    if (news.meteringMode !== olds.meteringMode) await putMeteringMode(context, news);
  },
  delete: (context, _id, { projectName: project, logstoreName }) =>
    ignoreMissing(() => cloudOf(context).logs.call({ method: "DELETE", path: `/logstores/${logstoreName}`, project })),
});

type StoreInputs = Infer<typeof storeInputs>;

const storeBody = (given: StoreInputs): Properties => ({
  ttl: given.retentionPeriod ?? DEFAULTS.retentionPeriod,
  autoSplit: given.autoSplit ?? false,
  maxSplitShard: given.maxSplitShardCount,
  appendMeta: given.appendMeta ?? DEFAULTS.appendMeta,
  enable_tracking: given.enableWebTracking ?? false,
  hot_ttl: given.hotTtl,
  mode: given.mode,
});

async function putMeteringMode(context: AlicloudContext, { projectName: project, logstoreName, meteringMode }: StoreInputs) {
  if (meteringMode === undefined) return;
  const path = `/logstores/${logstoreName}/meteringmode`;
  await cloudOf(context).logs.call({ method: "PUT", path, project, body: { meteringMode } });
}
