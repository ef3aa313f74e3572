import { Option } from "commander";
import { bridgeCommand, type RegisterCommand, whole } from "../command";
import type { BackfillOptions } from "./backfill";
import { ENGINES } from "./engine";

export const registerBackfill: RegisterCommand = (program, onBridge) => {
  bridgeCommand(program, "backfill", "Brings over objects that were at the source before the bridge, or that it missed.")
    .option("--prefix <prefix>", "only keys that begin with it", "")
    .option("--dry-run", "count what is to do, price it, and do nothing")
    .addOption(new Option("--engine <engine>", "who carries the objects over").choices(["auto", ...ENGINES]).default("auto"))
    .option("--checkpoint <file>", "how far it came (default: .crossborderbridge/backfill-<stack>.json)")
    .option("--prices <file>", "prices for --dry-run, in JSON, instead of the built-in ones")
    .option("--max-bytes <n>", "stop before more than this is put to work", whole(1, Number.MAX_SAFE_INTEGER))
    .option("--concurrency <n>", "objects looked at and copied at once", whole(1, 256), 16)
    .option("--yes", "do not ask before it begins")
    .option("--job <id>", "go on watching a job of --engine batch")
    .addOption(new Option("--report <scope>", "what the report of a job lists").choices(["failed", "all"]).default("failed"))
    .action(async (options: BackfillOptions) => {
      const { assertOptions, backfill, systemDeps } = await import("./backfill");
      const deps = systemDeps();
      assertOptions(options, deps);
      await onBridge(options, (context) => backfill(context, options, deps));
    });
};
