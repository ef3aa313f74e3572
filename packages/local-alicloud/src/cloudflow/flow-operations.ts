/** Flows over the control API. https://www.alibabacloud.com/help/en/cloudflow/cloudworkflow/developer-reference/api-fnf-2019-03-15-createflow */
import * as z from "zod";
import type { Flow, Flows } from "./flows";
import { NAME } from "./limits";
import { type Operation, read } from "./operation";

const name = z.string().regex(NAME);
const mode = z.enum(["Standard", ""], { error: "must be Standard: no other mode is served by the local cloud" }).optional();
const storage = z.literal("", { error: "is not served by the local cloud" }).optional();
const more = { RoleArn: z.string().optional(), ExecutionMode: mode, ExternalStorageLocation: storage };

const CREATE = z.object({ Name: name, Definition: z.string(), Description: z.string(), Type: z.string(), ...more });
const UPDATE = z.object({
  ...{ Name: name, Definition: z.string().optional(), Description: z.string().optional(), Type: z.string().optional() },
  ...more,
});
const ONE = z.object({ Name: name });
const LIST = z.object({ Limit: z.coerce.number().int().min(1).max(1000).optional(), NextToken: name.optional() });

/** CreateFlow, DescribeFlow, ListFlows, UpdateFlow and DeleteFlow. */
export const flowOperations = (flows: Flows): Record<string, Operation> => ({
  CreateFlow(region, parameters) {
    const { Name, Definition: definition, Description: description, Type: type, RoleArn } = read(CREATE, parameters);
    flows.create(region, { name: Name, definition, description, type, ...(RoleArn ? { roleArn: RoleArn } : {}) });
    return describe(flows.get(region, Name));
  },
  DescribeFlow: (region, parameters) => describe(flows.get(region, read(ONE, parameters).Name)),
  ListFlows(region, parameters) {
    const { Limit = 60, NextToken = "" } = read(LIST, parameters);
    const found = flows.inRegion(region).filter(({ spec }) => spec.name >= NextToken);
    const next = found[Limit];
    return { Flows: found.slice(0, Limit).map(describe), ...(next === undefined ? {} : { NextToken: next.spec.name }) };
  },
  /** Changes only what is given. */
  UpdateFlow(region, parameters) {
    const { Name, Definition: definition, Description: description, Type: type, RoleArn: roleArn } = read(UPDATE, parameters);
    const given = Object.entries({ definition, description, type, roleArn }).filter(([, value]) => value !== undefined);
    flows.update(region, Name, Object.fromEntries(given));
    return describe(flows.get(region, Name));
  },
  async DeleteFlow(region, parameters) {
    await flows.delete(region, read(ONE, parameters).Name);
    return {};
  },
});

const describe = ({ spec, id, createdTime, lastModifiedTime }: Flow): object => ({
  Name: spec.name,
  Description: spec.description,
  Definition: spec.definition,
  Id: id,
  Type: spec.type,
  RoleArn: spec.roleArn ?? "",
  ExecutionMode: "Standard",
  CreatedTime: createdTime,
  LastModifiedTime: lastModifiedTime,
});
