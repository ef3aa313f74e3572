import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "../contracts";
import { missing } from "./signed-call";

/** The parameters of a call in RPC style, from the query and from a form. */
export function rpcParameters({
  query,
  headers,
  body,
}: {
  query: URLSearchParams;
  headers: IncomingHttpHeaders | Readonly<Record<string, string>>;
  body: Buffer;
}): ReadonlyMap<string, string> {
  const type = headers["content-type"];
  const isForm =
    String(type ?? "")
      .split(";")[0]
      ?.trim() === "application/x-www-form-urlencoded";
  return new Map([...query, ...(isForm ? new URLSearchParams(body.toString("utf8")) : [])]);
}

/** Reads the parameters of one call. An empty value counts as absent, as in the vendor's gateway. */
export class Parameters {
  constructor(private readonly all: ReadonlyMap<string, string>) {}

  text(name: string): string | undefined {
    const value = this.all.get(name);
    return value === "" ? undefined : value;
  }

  /** Present, also when it is empty. */
  given(name: string): string | undefined {
    return this.all.get(name);
  }

  /** @throws ApiError 400 `Missing<Name>` */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw missing(name);
    return value;
  }

  /** @throws ApiError 400 `InvalidParameter` */
  whole(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!/^\d{1,15}$/.test(value)) throw invalidParameter(name, `${value} is not a whole number`);
    return Number(value);
  }

  /** @throws ApiError 400 `InvalidParameter` */
  flag(name: string): boolean | undefined {
    const value = this.text(name)?.toLowerCase();
    if (value === undefined) return undefined;
    if (value !== "true" && value !== "false") throw invalidParameter(name, `${value} is neither true nor false`);
    return value === "true";
  }

  /** `Name.1`, `Name.2`, ..., or one JSON array. @throws ApiError 400 `InvalidParameter` */
  list(name: string): string[] {
    const json = this.text(name);
    if (json !== undefined) return parseList(name, json).map(String);
    return this.numbered(name, (key) => this.all.get(key));
  }

  /** `Name.1.Key`, ..., or one JSON array of objects. @throws ApiError 400 `InvalidParameter` */
  objects<F extends string>(name: string, fields: readonly F[]): Record<F, string | undefined>[] {
    const json = this.text(name);
    const pick = (read: (field: F) => unknown) =>
      Object.fromEntries(fields.map((field) => [field, textOf(read(field))])) as Record<F, string | undefined>;
    if (json !== undefined)
      return parseList(name, json).map((one) => pick((field) => (one as Record<string, unknown> | null)?.[field]));
    return this.numbered(name, (key) => {
      const one = pick((field) => this.all.get(`${key}.${field}`));
      return Object.values(one).some((value) => value !== undefined) ? one : undefined;
    });
  }

  private numbered<T>(name: string, read: (key: string) => T | undefined): T[] {
    const found: T[] = [];
    for (let index = 1; ; index += 1) {
      const one = read(`${name}.${index}`);
      if (one === undefined) return found;
      found.push(one);
    }
  }
}

export const invalidParameter = (name: string, reason: string): ApiError =>
  new ApiError(400, "InvalidParameter", `The parameter ${name} is invalid: ${reason}.`);

const textOf = (value: unknown) => (value === undefined || value === null ? undefined : String(value));

function parseList(name: string, json: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(json);
    if (Array.isArray(parsed)) return parsed;
  } catch {
    // The error below names the parameter.
  }
  throw invalidParameter(name, "it must be a JSON array");
}
