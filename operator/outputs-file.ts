/**
 * Reads a bridge that another program declares, from a file which that program writes:
 *
 *     { "stack": "production", "settings": { "source": {...}, "destination": {...}, ... }, "outputs": { "sourceBucket": "...", ... } }
 *
 * `settings` are the arguments of the component without its providers and its token, and `outputs` are its properties.
 */
import { readFile } from "node:fs/promises";
import * as z from "zod";
import { parseJson } from "../runtime/protocol/json";
import { UsageError } from "./command";
import type { StackToOperate } from "./operated-bridge";
import { accessTo } from "./side-access";
import { configOf, NAMESPACE, outputsOf } from "./stack-settings";

const fileSchema = z.object({
  stack: z.string().min(1),
  settings: z.record(z.string(), z.unknown()),
  outputs: z.record(z.string(), z.unknown()),
});

/** @throws UsageError that says what the file lacks */
export async function readOutputsFile(path: string): Promise<StackToOperate> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${path} cannot be read: ${error.code ?? error.message}`, { cause: error });
  });
  const parsed = fileSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
    throw new UsageError(
      `${path} describes no bridge (${where}${issue?.message ?? "not valid"}): it needs stack, settings and outputs (docs/operations.md)`,
    );
  }
  const { stack, settings, outputs } = parsed.data;
  const named = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`${NAMESPACE}:${name}`, value]));
  const config = configOf(stack, named);
  return {
    ...{ stack, config, outputs: outputsOf(stack, outputs) },
    access: { source: accessTo(config.source), destination: accessTo(config.destination) },
  };
}
