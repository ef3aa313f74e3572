/** A dashboard of Simple Log Service. The id is `<project>:<dashboard>`. */
import type { Infer } from "../../schema";
import { ignoreMissing, unlessMissing } from "../api-failure";
import { type AlicloudContext, cloudOf, resource } from "../context";

const inputs = {
  "projectName!": "string",
  "dashboardName!": "string",
  "charList!": "json",
  attribute: "json",
  displayName: "string",
} as const;
type Inputs = Infer<typeof inputs>;

/** https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createdashboard */
export const dashboard = resource({
  token: "alicloud:log/dashboard:Dashboard",
  inputs,
  computed: [],
  replaceOn: ["projectName", "dashboardName"],
  create: async (context, given) => {
    await send(context, "POST", given);
    return `${given.projectName}:${given.dashboardName}`;
  },
  read: async (context, _id, given) => (await unlessMissing(() => send(context, "GET", given))) && {},
  update: async (context, _id, given) => {
    await send(context, "PUT", given);
  },
  delete: (context, _id, given) => ignoreMissing(() => send(context, "DELETE", given)),
});

function send(context: AlicloudContext, method: "GET" | "POST" | "PUT" | "DELETE", given: Inputs) {
  const { projectName: project, dashboardName, displayName, charList, attribute } = given;
  const path = method === "POST" ? "/dashboards" : `/dashboards/${dashboardName}`;
  const body = {
    ...{ dashboardName, displayName, charts: JSON.parse(charList) as unknown[] },
    ...(attribute === undefined ? {} : { attribute: JSON.parse(attribute) as object }),
  };
  const isWrite = method === "POST" || method === "PUT";
  return cloudOf(context).logs.call({ method, path, project, ...(isWrite ? { body } : {}) });
}
