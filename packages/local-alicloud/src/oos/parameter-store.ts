/** The secret parameters of all regions, in memory. */
import { createHash } from "node:crypto";
import { ApiError } from "../contracts";
import { assertConstraints } from "./constraints";

/** The documentation allows no slash, but its examples and the console have names like `group1/parameter`. */
const NAME = /^(?!ALIYUN|ACS|ALIBABA|ALICLOUD|OOS)[A-Za-z0-9_/-]{1,180}$/i;
const MAX_VALUE_LENGTH = 4096;
const MAX_DESCRIPTION_LENGTH = 200;

export interface KeptParameter {
  id: string;
  name: string;
  /** By version; the first version is 1. */
  values: readonly string[];
  description: string;
  /** JSON. Absent when the parameter has none. */
  constraints?: string | undefined;
  tags: Readonly<Record<string, string>>;
  /** Ms since the epoch, like all times here. */
  createdAt: number;
  updatedAt: number;
}

export type ParameterSettings = Partial<Pick<KeptParameter, "description" | "constraints" | "tags">> & { value: string };

export class ParameterStore {
  private readonly kept = new Map<string, KeptParameter>();

  constructor(private readonly now: () => number) {}

  find(region: string, name: string): KeptParameter | undefined {
    return this.kept.get(keyOf(region, name));
  }

  /** @throws ApiError 404 `EntityNotExists.Parameter` */
  get(region: string, name: string): KeptParameter {
    const found = this.find(region, name);
    if (found === undefined) throw new ApiError(404, "EntityNotExists.Parameter", `The parameter ${name} does not exist.`);
    return found;
  }

  /** @throws ApiError 409 `EntityAlreadyExists.Parameter`, 400 `InvalidParameter` */
  create(region: string, name: string, { value, description = "", constraints, tags = {} }: ParameterSettings): KeptParameter {
    assertName(name);
    if (this.find(region, name) !== undefined)
      throw new ApiError(409, "EntityAlreadyExists.Parameter", `The parameter ${name} already exists.`);
    const key = keyOf(region, name);
    const id = `p-${createHash("sha256").update(key).digest("hex").slice(0, 20)}`;
    const at = this.now();
    const created = { id, name, values: [value], description, constraints, tags, createdAt: at, updatedAt: at };
    assertFits(created);
    this.kept.set(key, created);
    return created;
  }

  /** A new value is a new version. Keeps what is not given. @throws ApiError 404 `EntityNotExists.Parameter`, 400 `InvalidParameter` */
  update(region: string, name: string, { value, description, tags }: ParameterSettings): KeptParameter {
    const before = this.get(region, name);
    const changed = {
      ...before,
      values: before.values.at(-1) === value ? before.values : [...before.values, value],
      description: description ?? before.description,
      tags: tags ?? before.tags,
      updatedAt: this.now(),
    };
    assertFits(changed);
    this.kept.set(keyOf(region, name), changed);
    return changed;
  }

  delete(region: string, name: string): void {
    this.get(region, name);
    this.kept.delete(keyOf(region, name));
  }
}

const keyOf = (region: string, name: string) => `${region} ${name}`;

function assertName(name: string): void {
  if (NAME.test(name)) return;
  throw new ApiError(
    400,
    "InvalidParameter",
    `The parameter name ${JSON.stringify(name)} must be 1 to 180 letters, digits, hyphens and underscores, and not begin with a name of the vendor.`,
  );
}

/** The messages do not contain the value. */
function assertFits({ values, description, constraints }: KeptParameter): void {
  const value = values.at(-1) ?? "";
  if (value.length === 0 || value.length > MAX_VALUE_LENGTH)
    throw new ApiError(400, "InvalidParameter", `The value must have 1 to ${MAX_VALUE_LENGTH} characters.`);
  if (description.length > MAX_DESCRIPTION_LENGTH)
    throw new ApiError(400, "InvalidParameter", `The description must have at most ${MAX_DESCRIPTION_LENGTH} characters.`);
  if (constraints !== undefined) assertConstraints(constraints, value);
}
