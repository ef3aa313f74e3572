/** The requests to a local cloud, as its front door recorded them (serve-ministack.py). */
import { readFile } from "node:fs/promises";
import type { LocalPartition } from "../../../local/aws/local-aws";

export interface RecordedCall {
  /** `role/NAME`, `user/NAME`, `root`, `anonymous` or `unknown`. */
  principal: string;
  method: string;
  /** As sent, percent-encoded. */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  /** Recorded only for calls of the AWS JSON protocol. */
  body: string;
  /** 0 if the caller closed the connection. */
  status: number;
}

interface Line extends Omit<RecordedCall, "query"> {
  query: string;
}

/** Reads every answered request, in the order of the answers. */
export async function readCalls({ callsPath }: LocalPartition): Promise<RecordedCall[]> {
  const lines = (await readFile(callsPath, "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const { query, principal, ...call } = JSON.parse(line) as Line;
    return { ...call, principal: nameOf(principal), query: new URLSearchParams(query) };
  });
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns */
function nameOf(principal: string): string {
  const [, name = principal] = /^arn:[^:]+:(?:iam|sts)::\d+:(.+)$/.exec(principal) ?? [];
  const [kind, role] = name.split("/");
  return kind === "assumed-role" ? `role/${role}` : name;
}
