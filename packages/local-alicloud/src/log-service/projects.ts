/** Projects, their tags and their policies. https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-overview */
import * as z from "zod";
import { ApiError } from "../contracts";
import type { SettingRecords, Settings } from "../records";
import { type LogCall, type LogOperation, parameterInvalid, projectOf, readJson } from "./log-call";

const NAME = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

const createInput = z.object({ projectName: z.string(), description: z.string().default("") });
const updateInput = z.object({ description: z.string() });
const tagInput = z.object({
  resourceType: z.string(),
  resourceId: z.array(z.string()),
  tags: z.array(z.object({ key: z.string().min(1), value: z.string().default("") })),
});
const untagInput = z.object({
  resourceType: z.string(),
  resourceId: z.array(z.string()),
  tags: z.array(z.string()).default([]),
  all: z.boolean().default(false),
});

/** Operations by method and path. */
export function projectOperations(
  { logProjects, logStores, logIndexes }: SettingRecords,
  accountId: string,
  now: () => number,
): Record<string, LogOperation> {
  const permit = (call: LogCall, action: string, name: string) => call.authorize(`log:${action}`, `project/${name}`);
  const existing = (call: LogCall, name = projectOf(call)): [string, Record<string, unknown>] => [
    name,
    existingProject(logProjects.get(call.region, name), name).settings,
  ];
  const change = (call: LogCall, name: string, changes: Record<string, unknown>) => {
    const [, settings] = existing(call, name);
    logProjects.update(call.region, name, { settings: { ...settings, ...changes } });
  };
  const describe = (call: LogCall, name: string, settings: Record<string, unknown>) => ({
    ...{ projectName: name, description: settings.description ?? "", region: call.region, status: "Normal", owner: accountId },
    ...{ createTime: settings.createTime ?? "", lastModifyTime: settings.lastModifyTime ?? "", dataRedundancyType: "LRS" },
  });
  const time = () => new Date(now()).toISOString().slice(0, 19).replace("T", " ");
  const tagsOf = (settings: Record<string, unknown>) => (settings.tags ?? {}) as Record<string, string>;

  return {
    "POST /": (call) => {
      const { projectName, description } = readJson(createInput, call.body);
      permit(call, "CreateProject", projectName);
      if (!NAME.test(projectName)) throw parameterInvalid(`projectName ${projectName} must be 3 to 63 of a-z, 0-9 and hyphen`);
      if (logProjects.get(call.region, projectName) !== undefined)
        throw new ApiError(400, "ProjectAlreadyExist", `Project ${projectName} already exist`);
      const at = time();
      logProjects.create(call.region, projectName, {
        settings: { projectName, description, createTime: at, lastModifyTime: at },
        createdAt: now(),
      });
      return {};
    },
    "GET /": (call) => {
      if (call.project === undefined) return listProjects(call);
      permit(call, "GetProject", call.project);
      return { body: describe(call, ...existing(call)) };
    },
    "PUT /": (call) => {
      const name = projectOf(call);
      permit(call, "UpdateProject", name);
      change(call, name, { ...readJson(updateInput, call.body), lastModifyTime: time() });
      return {};
    },
    "DELETE /": (call) => {
      permit(call, "DeleteProject", projectOf(call));
      const [name] = existing(call);
      // Its stores end with it.
      for (const records of [logIndexes, logStores])
        for (const key of records.names(call.region)) if (key.startsWith(`${name}:`)) records.delete(call.region, key);
      logProjects.delete(call.region, name);
      return {};
    },
    "GET /policy": (call) => {
      permit(call, "GetProjectPolicy", projectOf(call));
      return { body: String(existing(call)[1].policy ?? "{}") };
    },
    "POST /policy": (call) => {
      const name = projectOf(call);
      permit(call, "UpdateProjectPolicy", name);
      readJson(z.looseObject({ Version: z.literal("1"), Statement: z.array(z.unknown()) }), call.body);
      change(call, name, { policy: call.body.toString("utf8") });
      return {};
    },
    "DELETE /policy": (call) => {
      const name = projectOf(call);
      permit(call, "DeleteProjectPolicy", name);
      change(call, name, { policy: undefined });
      return {};
    },
    "GET /tags": (call) => {
      assertProjects(call.query.get("resourceType") ?? "");
      const names = readJson(z.array(z.string()), Buffer.from(call.query.get("resourceId") ?? "[]"));
      const tagResources = names.flatMap((name) => {
        permit(call, "ListTagResources", name);
        return Object.entries(tagsOf(existing(call, name)[1])).map(([tagKey, tagValue]) => ({
          ...{ resourceType: "PROJECT", resourceId: name, tagKey, tagValue },
        }));
      });
      return { body: { tagResources, nextToken: "" } };
    },
    "POST /tag": (call) => {
      const { resourceType, resourceId, tags } = readJson(tagInput, call.body);
      assertProjects(resourceType);
      for (const name of resourceId) {
        permit(call, "TagResources", name);
        const added = Object.fromEntries(tags.map(({ key, value }) => [key, value]));
        change(call, name, { tags: { ...tagsOf(existing(call, name)[1]), ...added } });
      }
      return {};
    },
    "POST /untag": (call) => {
      const { resourceType, resourceId, tags, all } = readJson(untagInput, call.body);
      assertProjects(resourceType);
      for (const name of resourceId) {
        permit(call, "UntagResources", name);
        const kept = Object.entries(tagsOf(existing(call, name)[1])).filter(([key]) => !all && !tags.includes(key));
        change(call, name, { tags: Object.fromEntries(kept) });
      }
      return {};
    },
  };

  function listProjects(call: LogCall) {
    permit(call, "ListProject", "*");
    const wanted = call.query.get("projectName") ?? "";
    const names = logProjects.names(call.region).filter((name) => name.includes(wanted));
    const [from, size] = [Number(call.query.get("offset") ?? 0), Number(call.query.get("size") ?? 100)];
    const page = names.slice(from, from + size).map((name) => describe(call, ...existing(call, name)));
    return { body: { count: page.length, total: names.length, projects: page } };
  }
}

/** @throws ApiError 404 `ProjectNotExist` */
export function existingProject(found: Settings | undefined, name: string): Settings {
  if (found !== undefined) return found;
  throw new ApiError(404, "ProjectNotExist", `The Project does not exist : ${name}`);
}

function assertProjects(resourceType: string): void {
  if (resourceType.toUpperCase() !== "PROJECT")
    throw parameterInvalid(`resourceType ${resourceType} is not served here: only PROJECT is`);
}
