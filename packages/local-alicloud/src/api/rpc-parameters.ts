import type { ApiCall } from "../contracts";

/** The parameters of a call in RPC style, from the query and from a form. */
export function rpcParameters({
  query,
  headers,
  body,
}: Pick<ApiCall, "query" | "headers" | "body">): ReadonlyMap<string, string> {
  const isForm = headers["content-type"]?.split(";")[0]?.trim() === "application/x-www-form-urlencoded";
  return new Map([...query, ...(isForm ? new URLSearchParams(body.toString("utf8")) : [])]);
}
