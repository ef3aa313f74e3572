/** `bridge verify`. */
import { bridgeCommand, byteSize, duration, type RegisterCommand, since, whole } from "../command";
import { assertOptions, type VerifyOptions } from "./options";

const HELP = `
missing    the destination has no such object
different  the destination has another state of it
extra      only the destination has it; it is left alone where deletes are ignored, and where the bridge did not write it
unread     one of the two objects could not be looked at

The listings of both buckets are compared by key, size, ETag and time. Each difference is then looked at on both sides. Objects that were copied
in parts have no common checksum in a listing: with --bytes their checksums are compared, and their bytes are read where no common one exists.
A listing that is refused or not complete ends the run with exit code 3.

Examples:
  crossborderbridge verify --stack production
  crossborderbridge verify --stack production --prefix reports/2026/ --bytes
  crossborderbridge verify --stack production --repair --dry-run
  crossborderbridge verify --stack production --repair --max-objects 1000 --max-bytes 10GiB --yes
  crossborderbridge verify --stack production --source-inventory s3://reports-inventory/…/manifest.json`;

export const registerVerify: RegisterCommand = (program, onBridge) => {
  bridgeCommand(program, "verify", "Compares both sides, lists every difference, and repairs them if it is asked to.")
    .option("--prefix <prefix>", "only keys that begin with it", "")
    .option("--since <time>", "only objects written since then, such as 2h or 2026-11-30", since)
    .option("--from-file <file>", "only the keys in this file, one a line, as text or JSON; - is the standard input")
    .option("--bytes", "prove that the bytes are equal, and read them where no common checksum exists")
    .option(
      "--source-inventory <manifest>",
      "an inventory report instead of the listing: a path, or s3:// or oss:// and bucket/key",
    )
    .option("--destination-inventory <manifest>", "the same for the destination")
    .option("--grace <time>", "a difference of an object that was written within this time is on its way", graceTime, 300_000)
    .option("--repair", "hand over what is missing or different, after the comparison")
    .option("--dry-run", "with --repair: say what it would hand over")
    .option("--yes", "with --repair: do not ask before it begins")
    .option("--max-objects <n>", "with --repair: hand over at most so many", whole(1, Number.MAX_SAFE_INTEGER))
    .option("--max-bytes <size>", "with --repair: hand over at most so many bytes, such as 10GiB", byteSize)
    .option("--parallel <n>", "parts of the listings that are read at once", whole(1, 64), 8)
    .option("--concurrency <n>", "objects that are looked at at once", whole(1, 256), 32)
    .option("--checkpoint <file>", "where progress is kept (default: .crossborderbridge/verify-<stack>.json)")
    .option("--out <file>", "where the differences are kept (default: .crossborderbridge/verify-<stack>.jsonl)")
    .addHelpText("after", HELP)
    .action(async (options: VerifyOptions) => {
      // Loaded only for this command.
      const { verify, systemDeps } = await import("./verify");
      const deps = systemDeps();
      assertOptions(options, deps);
      await onBridge(options, (context) => verify(context, options, deps));
    });
};

/** Like `duration`, and 0 for no time at all. */
const graceTime = (text: string): number => (text === "0" || text === "0s" ? 0 : duration(text));
