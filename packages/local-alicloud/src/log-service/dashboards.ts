/** Dashboards, which are kept and not drawn. https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createdashboard */
import * as z from "zod";
import { ApiError } from "../contracts";
import type { SettingRecords, Settings } from "../records";
import { type LogCall, type LogOperation, projectOf, readJson } from "./log-call";

const chart = z.looseObject({ title: z.string(), type: z.string(), search: z.looseObject({}), display: z.looseObject({}) });
const input = z.object({
  dashboardName: z.string().regex(/^[\w-]{2,128}$/),
  displayName: z.string().default(""),
  description: z.string().default(""),
  attribute: z.record(z.string(), z.unknown()).default({}),
  charts: z.array(chart),
});

/** Operations by method and path. */
export function dashboardOperations({ logProjects, logDashboards }: SettingRecords): Record<string, LogOperation> {
  const idOf = (call: LogCall, name: string, action: string): string => {
    const project = projectOf(call);
    call.authorize(`log:${action}`, `project/${project}/dashboard/${name}`);
    if (logProjects.get(call.region, project) === undefined)
      throw new ApiError(404, "ProjectNotExist", `The Project does not exist : ${project}`);
    return `${project}:${name}`;
  };
  const existing = (call: LogCall, id: string, name: string): Settings => {
    const found = logDashboards.get(call.region, id);
    if (found === undefined) throw new ApiError(404, "DashboardNotExist", `dashboard ${name} does not exist`);
    return found;
  };
  return {
    "POST /dashboards": (call) => {
      const settings = readJson(input, call.body);
      const name = settings.dashboardName;
      const id = idOf(call, name, "CreateDashboard");
      if (logDashboards.get(call.region, id) !== undefined)
        throw new ApiError(400, "ParameterInvalid", `dashboard ${name} already exists`);
      logDashboards.create(call.region, id, { settings });
      return {};
    },
    "GET /dashboards/:name": (call, name) => {
      const id = idOf(call, name, "GetDashboard");
      return { body: existing(call, id, name).settings };
    },
    "PUT /dashboards/:name": (call, name) => {
      const id = idOf(call, name, "UpdateDashboard");
      existing(call, id, name);
      logDashboards.update(call.region, id, { settings: readJson(input, call.body) });
      return {};
    },
    "DELETE /dashboards/:name": (call, name) => {
      const id = idOf(call, name, "DeleteDashboard");
      existing(call, id, name);
      logDashboards.delete(call.region, id);
      return {};
    },
  };
}
