/** `npm run bridge -- backfill`. */
import { type Command, Option } from "commander";
import { bridgeCommand, byteSize, type RegisterCommand, whole } from "../command";
import { ENGINES } from "./engine";
import { assertOptions, type BackfillOptions } from "./options";

export const registerBackfill: RegisterCommand = (program, onBridge) => {
  declareOptions(
    bridgeCommand(program, "backfill", "Replicates objects that were at the source before the bridge, or that it missed."),
  ).action(async (options: BackfillOptions) => {
    // Loaded only for this command: it reads libraries that the others do not need.
    const { backfill, systemDeps } = await import("./backfill");
    const deps = systemDeps();
    assertOptions(options, deps);
    await onBridge(options, (context) => backfill(context, options, deps));
  });
};

function declareOptions(command: Command): Command {
  return command
    .option("--prefix <prefix>", "only keys that begin with it", "")
    .option("--dry-run", "count what is to do, price it, and do nothing")
    .addOption(new Option("--engine <engine>", "how the objects are replicated").choices(["auto", ...ENGINES]).default("auto"))
    .option("--checkpoint <file>", "where progress is kept (default: .crossborderbridge/backfill-<stack>.json)")
    .option("--prices <file>", "prices for --dry-run, in JSON, instead of the built-in ones")
    .option("--max-bytes <size>", "stop before more than this is handed over, such as 10GiB", byteSize)
    .option("--concurrency <n>", "objects checked and copied at once", whole(1, 256), 16)
    .option("--yes", "do not ask before it begins")
    .option("--job <id>", "follow an existing job of --engine batch")
    .addOption(new Option("--report <scope>", "what the report of a job lists").choices(["failed", "all"]).default("failed"));
}
