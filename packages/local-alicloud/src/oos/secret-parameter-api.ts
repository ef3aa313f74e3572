/** https://www.alibabacloud.com/help/en/oos/developer-reference/api-oos-2019-06-01-getsecretparameter */
import * as z from "zod";
import type { RpcCall, RpcProduct } from "../api/rpc-api";
import { invalidParameter, type Parameters } from "../api/rpc-parameters";
import { ApiError } from "../contracts";
import type { KeptParameter, ParameterStore } from "./parameter-store";

export function secretParameterApi(store: ParameterStore, accountId: string): RpcProduct {
  const permit = (call: RpcCall, name: string) =>
    call.authorize(`oos:${call.action}`, `acs:oos:${call.region}:${accountId}:secretparameter/${name}`);
  /** The name of a parameter in the region of this address. */
  const named = (call: RpcCall): string => {
    const name = call.parameters.required("Name");
    const regionId = call.parameters.text("RegionId");
    if (regionId !== undefined && regionId !== call.region)
      throw new ApiError(400, "InvalidParameter", `RegionId ${regionId} is not served here: this is ${call.region}.`);
    permit(call, name);
    return name;
  };
  const describe = (parameter: KeptParameter, version = parameter.values.length) => ({
    Id: parameter.id,
    Name: parameter.name,
    Type: "Secret",
    Description: parameter.description,
    ParameterVersion: version,
    CreatedBy: `root(${accountId})`,
    CreatedDate: isoSeconds(parameter.createdAt),
    UpdatedBy: `root(${accountId})`,
    UpdatedDate: isoSeconds(parameter.updatedAt),
    ...(parameter.constraints === undefined ? {} : { Constraints: parameter.constraints }),
    ShareType: "Private",
    Tags: parameter.tags,
  });

  return {
    version: "2019-06-01",
    operations: {
      CreateSecretParameter: (call) => {
        const { parameters, region } = call;
        const name = named(call);
        assertServed(parameters);
        const value = parameters.required("Value");
        const [description, constraints] = [parameters.text("Description") ?? "", parameters.text("Constraints")];
        return {
          Parameter: describe(store.create(region, name, { value, description, constraints, tags: tagsOf(parameters) ?? {} })),
        };
      },
      UpdateSecretParameter: (call) => {
        const { parameters, region } = call;
        const name = named(call);
        const value = parameters.required("Value");
        const [description, tags] = [parameters.given("Description"), tagsOf(parameters)];
        const changes = { value, ...(description === undefined ? {} : { description }), ...(tags === undefined ? {} : { tags }) };
        return { Parameter: describe(store.update(region, name, changes)) };
      },
      DeleteSecretParameter: (call) => {
        store.delete(call.region, named(call));
        return undefined;
      },
      GetSecretParameter: (call) => {
        const { parameters, region } = call;
        const name = named(call);
        const version = versionOf(parameters);
        const withDecryption = parameters.text("WithDecryption")?.toLowerCase() === "true";
        // OOS stores the value as the KMS secret `oos/<name>` and reads it as the caller.
        if (withDecryption) call.authorize("kms:GetSecretValue", `acs:kms:${region}:${accountId}:secret/oos/${name}`);
        const parameter = store.get(region, name);
        const chosen = version ?? parameter.values.length;
        const value = parameter.values[chosen - 1];
        if (value === undefined)
          throw new ApiError(404, "EntityNotExists.ParameterVersion", `The parameter ${name} has no version ${chosen}.`);
        return { Parameter: { ...describe(parameter, chosen), ...(withDecryption ? { Value: value } : {}) } };
      },
      ListTagResources: (call) => {
        const type = call.parameters.required("ResourceType");
        if (type !== "secretparameter")
          throw invalidParameter("ResourceType", `${type} is not served here: only secretparameter is`);
        const TagResource = call.parameters.list("ResourceIds").flatMap((name) => {
          permit(call, name);
          return Object.entries(store.get(call.region, name).tags).map(([TagKey, TagValue]) => ({
            ...{ ResourceType: type, ResourceId: name, TagKey, TagValue },
          }));
        });
        return { TagResources: { TagResource } };
      },
    },
  };
}

function versionOf(parameters: Parameters): number | undefined {
  const version = parameters.text("ParameterVersion");
  if (version !== undefined && !/^[1-9]\d{0,2}$/.test(version))
    throw new ApiError(400, "InvalidParameter", `ParameterVersion ${version} must be 1 to 100.`);
  return version === undefined ? undefined : Number(version);
}

/** Undefined when they are not given. */
function tagsOf(parameters: Parameters): Record<string, string> | undefined {
  const text = parameters.text("Tags");
  if (text === undefined) return undefined;
  try {
    return z.record(z.string().min(1), z.string()).parse(JSON.parse(text));
  } catch {
    throw invalidParameter("Tags", 'it must be a JSON object of texts, e.g. {"team":"data"}');
  }
}

function assertServed(parameters: Parameters): void {
  if ((parameters.text("Type") ?? "Secret") !== "Secret") throw invalidParameter("Type", "it must be Secret");
  for (const name of ["KeyId", "DKMSInstanceId"])
    if (parameters.text(name) !== undefined) throw invalidParameter(name, "it is not served here: there is no KMS");
}

const isoSeconds = (at: number) => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
