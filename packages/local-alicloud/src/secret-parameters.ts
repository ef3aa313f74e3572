/** Secret parameters of OOS. https://www.alibabacloud.com/help/en/oos/developer-reference/api-oos-2019-06-01-getsecretparameter */
import { createHash } from "node:crypto";
import { rpcParameters } from "./api/rpc-parameters";
import { type ApiCall, ApiError, type Ram, type SecretParameters } from "./contracts";

/** The documentation allows no slash, but its examples and the console have names like `group1/parameter`. */
const NAME = /^(?!ALIYUN|ACS|ALIBABA|ALICLOUD|OOS)[A-Za-z0-9_/-]{1,180}$/i;
const MAX_VALUE_LENGTH = 4096;
const VERSION = "2019-06-01";

interface KeptParameter {
  id: string;
  /** By version; the first version is 1. */
  values: readonly string[];
  description: string;
  createdAt: number;
  updatedAt: number;
}

export interface SecretParametersOptions {
  ram: Pick<Ram, "accountId">;
  /** Ms since the epoch. @default the system's clock */
  now?: () => number;
}

export function createSecretParameters({ ram, now = Date.now }: SecretParametersOptions): SecretParameters {
  const { accountId } = ram;
  const kept = new Map<string, KeptParameter>();
  const keyOf = (region: string, name: string) => `${region} ${name}`;
  const existing = (region: string, name: string): KeptParameter => {
    const found = kept.get(keyOf(region, name));
    if (found === undefined) throw new ApiError(404, "EntityNotExists.Parameter", `The parameter ${name} does not exist.`);
    return found;
  };

  const getSecretParameter = (call: ApiCall): object => {
    const { name, version, withDecryption } = readRequest(call);
    call.authorize("oos:GetSecretParameter", `acs:oos:${call.region}:${accountId}:secretparameter/${name}`);
    // OOS stores the value as the KMS secret `oos/<name>` and reads it as the caller.
    if (withDecryption) call.authorize("kms:GetSecretValue", `acs:kms:${call.region}:${accountId}:secret/oos/${name}`);
    const parameter = existing(call.region, name);
    const chosen = version ?? parameter.values.length;
    const value = parameter.values[chosen - 1];
    if (value === undefined)
      throw new ApiError(404, "EntityNotExists.ParameterVersion", `The parameter ${name} has no version ${chosen}.`);
    return {
      Parameter: {
        Id: parameter.id,
        Name: name,
        Type: "Secret",
        Description: parameter.description,
        ParameterVersion: chosen,
        CreatedBy: `root(${accountId})`,
        CreatedDate: isoSeconds(parameter.createdAt),
        UpdatedBy: `root(${accountId})`,
        UpdatedDate: isoSeconds(parameter.updatedAt),
        Constraints: "{}",
        ShareType: "Private",
        Tags: {},
        ...(withDecryption ? { Value: value } : {}),
      },
    };
  };

  return {
    put: (region, { name, value, description = "" }) => {
      assertFits(name, value);
      const before = kept.get(keyOf(region, name));
      const values = before?.values ?? [];
      kept.set(keyOf(region, name), {
        id: before?.id ?? `p-${createHash("sha256").update(keyOf(region, name)).digest("hex").slice(0, 20)}`,
        values: values.at(-1) === value ? values : [...values, value],
        description,
        createdAt: before?.createdAt ?? now(),
        updatedAt: now(),
      });
    },
    get: (region, name) => {
      const found = kept.get(keyOf(region, name));
      return found === undefined ? undefined : { name, value: found.values.at(-1) ?? "", description: found.description };
    },
    delete: (region, name) => {
      existing(region, name);
      kept.delete(keyOf(region, name));
    },
    api: async (call) => {
      if (call.action !== "GetSecretParameter" || call.headers["x-acs-version"] !== VERSION)
        throw new ApiError(
          404,
          "InvalidApi.NotFound",
          `Specified api is not found: only GetSecretParameter of version ${VERSION} is served.`,
        );
      return { status: 200, body: getSecretParameter(call) };
    },
  };
}

function readRequest(call: ApiCall): { name: string; version: number | undefined; withDecryption: boolean } {
  const parameters = rpcParameters(call);
  const name = parameters.get("Name");
  const version = parameters.get("ParameterVersion");
  const regionId = parameters.get("RegionId");
  if (name === undefined || name === "") throw new ApiError(400, "MissingName", "Name is mandatory for this action.");
  if (version !== undefined && !/^[1-9]\d{0,2}$/.test(version))
    throw new ApiError(400, "InvalidParameter", `ParameterVersion ${version} must be 1 to 100.`);
  if (regionId !== undefined && regionId !== call.region)
    throw new ApiError(400, "InvalidParameter", `RegionId ${regionId} is not served here: this is ${call.region}.`);
  return {
    name,
    version: version === undefined ? undefined : Number(version),
    withDecryption: parameters.get("WithDecryption")?.toLowerCase() === "true",
  };
}

function assertFits(name: string, value: string): void {
  if (!NAME.test(name))
    throw new ApiError(
      400,
      "InvalidParameter",
      `The parameter name ${JSON.stringify(name)} must be 1 to 180 letters, digits, hyphens and underscores, and not begin with a name of the vendor.`,
    );
  if (value.length === 0 || value.length > MAX_VALUE_LENGTH)
    throw new ApiError(400, "InvalidParameter", `The value must have 1 to ${MAX_VALUE_LENGTH} characters.`);
}

const isoSeconds = (at: number) => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
