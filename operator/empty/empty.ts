/** `npm run bridge -- empty`: deletes what is in the buckets that a destroy is going to delete. */
import { createHash } from "node:crypto";
import { BridgeError, isBridgeError } from "../../runtime/stores/errors";
import { askAtTerminal } from "../ask";
import type { BucketContents, Upload, Version } from "../bucket-contents";
import {
  bridgeCommand,
  type CommandContext,
  type CommonOptions,
  type ExitCode,
  FAILED,
  FINE,
  ObjectsFailed,
  type RegisterCommand,
  UsageError,
} from "../command";
import { forEachBounded } from "../concurrency";
import type { OperatedBridge, OperatedSide, SideAccess } from "../operated-bridge";
import { bucketText, naming } from "../sides";
import { counted, grouped, keyText } from "../text";

/** Uploads that are aborted at once. */
const ABORTS_AT_ONCE = 16;
/** Of one version or upload. A store may say that it deleted one and keep it; a bridge that runs may write a key again. */
const MOST_DELETES = 3;
/** A bucket of a million versions prints a hundred lines. */
const PAGES_PER_NOTE = 10;

export interface EmptyOptions extends CommonOptions {
  yes?: true;
}

export interface EmptyDeps {
  confirm(question: string, signal: AbortSignal): Promise<boolean>;
  /** Whether standard input is a terminal, so that a person can answer. */
  interactive: boolean;
  open(access: SideAccess, bucket: Pick<Target, "name" | "customDomain">): Promise<BucketContents>;
}

const systemDeps = (): EmptyDeps => ({
  confirm: askAtTerminal,
  interactive: process.stdin.isTTY === true,
  // Loaded on demand: the clients are slow to load.
  open: async (access, bucket) =>
    access.cloud === "alicloud"
      ? (await import("../clouds/oss-contents")).openOssContents(access, bucket)
      : (await import("../clouds/s3-contents")).openS3Contents(access, bucket.name),
});

export const registerEmpty: RegisterCommand = (program, onBridge) => {
  bridgeCommand(
    program,
    "empty",
    "Deletes every object, version and unfinished upload in the buckets that the bridge created. Run it before pulumi destroy.",
  )
    .option("--yes", "do not ask before it begins")
    .action((options: EmptyOptions) => {
      const deps = systemDeps();
      if (!options.yes && !deps.interactive) throw new UsageError("nobody can be asked at this terminal: say --yes");
      return onBridge(options, (context) => empty(context, options, deps));
    });
};

export async function empty(context: CommandContext, options: EmptyOptions, deps: EmptyDeps): Promise<ExitCode> {
  const { bridge, signal, note, print, json } = context;
  const buckets = bucketsToEmpty(bridge);
  const names = buckets.map(textOf).join(" and ");
  if (!options.yes && !(await deps.confirm(`Delete everything in ${names}, for ever?`, signal))) {
    note("nothing was done");
    return FAILED;
  }
  const results: EmptiedBucket[] = [];
  for (const bucket of buckets) {
    const contents = await deps.open(context.access[bucket.side], bucket);
    try {
      results.push(await naming(textOf(bucket), emptyBucket(bucket, contents, context)));
    } catch (error) {
      note("run the same command again to go on");
      throw bucket.holdsLeases && isBridgeError(error, "HostRefused") ? leasesRefused(bucket, error) : error;
    } finally {
      await contents.close();
    }
  }
  if (json) print(JSON.stringify({ buckets: results }));
  else for (const result of results) print(resultText(result));
  return FINE;
}

interface Target extends Pick<OperatedSide, "side" | "cloud" | "region"> {
  name: string;
  /** Bound to the bucket. */
  customDomain?: string | undefined;
  /** The bucket of the leases. It has no domain. */
  holdsLeases?: true;
}

interface EmptiedBucket extends Target {
  uploads: number;
  versions: number;
}

/** The lifecycle rule of this bucket is in `components/alicloud/control-bucket.ts`. */
const leasesRefused = (bucket: Target, cause: BridgeError) =>
  new BridgeError(
    "HostRefused",
    "empty",
    `${textOf(bucket)}: this account cannot use the public host of a mainland region for objects, and the bucket of the leases has no domain: wait until OSS has deleted the lease logs, five days after the last copy, and run pulumi destroy then`,
    { cause },
  );

const textOf = ({ side, cloud, region, name }: Target): string => bucketText({ side, cloud, region, bucket: name });

const resultText = ({ uploads, versions, ...target }: EmptiedBucket): string =>
  `${textOf(target)}: deleted ${counted(versions, "version or delete marker", "versions and delete markers")}, aborted ${counted(uploads, "unfinished upload")}`;

/**
 * The buckets that a destroy deletes: those that the bridge created, unless the configuration keeps them, and the bucket of the leases.
 * @throws UsageError when there is none, or when the bridge would delete replicas that are to stay
 */
export function bucketsToEmpty({ config, outputs }: Pick<OperatedBridge, "config" | "outputs">): Target[] {
  const { source, destination, retainBuckets, deletes } = config;
  const target = (side: Target["side"], name: string): Target => {
    const { cloud, region } = config[side];
    return { side, cloud, region, name };
  };
  const own = (side: Target["side"], name: string): Target[] => {
    const { adopt, customDomain } = config[side];
    return adopt ? [] : [{ ...target(side, name), ...(customDomain === undefined ? {} : { customDomain }) }];
  };
  const created = [...own("source", outputs.sourceBucket), ...own("destination", outputs.destinationBucket)];
  if (!retainBuckets && !source.adopt && destination.adopt && deletes === "replicate")
    throw new UsageError(
      `deletes is replicate: the bridge would delete the replicas in ${outputs.destinationBucket} too; set deletes: ignore and run pulumi up first`,
    );
  const side = leaseSide(config);
  const leases: Target[] =
    side === undefined ? [] : [{ ...target(side, controlBucketOf(config[side].bucket, config.name)), holdsLeases: true }];
  const found = [...(retainBuckets ? [] : created), ...leases];
  if (found.length > 0) return found;
  throw new UsageError(
    created.length === 0
      ? "both buckets are adopted: a destroy deletes none"
      : `retainBuckets is true: a destroy keeps ${created.map(({ name }) => name).join(" and ")}; to delete them, set retainBuckets: false and run pulumi up first`,
  );
}

/** The side whose functions keep their leases in a bucket of their own. */
function leaseSide({ mode, destination }: OperatedBridge["config"]): Target["side"] | undefined {
  if (mode === "push") return "source";
  return mode === "pull" && destination.cloud === "alicloud" ? "destination" : undefined;
}

const BUCKET_NAME_CHARACTERS = 63;

/** The bucket of the leases, as `controlBucketName` of the components names it. */
export function controlBucketOf(bucket: string, bridgeId: string): string {
  const name = `${bucket}-${bridgeId}-bridge-control`;
  if (name.length <= BUCKET_NAME_CHARACTERS) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, BUCKET_NAME_CHARACTERS - 9).replace(/-+$/, "")}-${digest}`;
}

/** Uploads come first: one that completes later would make an object again. */
async function emptyBucket(
  target: Target,
  contents: BucketContents,
  { signal, note }: Pick<CommandContext, "signal" | "note">,
): Promise<EmptiedBucket> {
  let uploads = 0;
  const aborts = new Repeats(target);
  for (let page = await contents.uploads(signal); page.length > 0; page = await contents.uploads(signal)) {
    aborts.assertGone(page, uploadText);
    await forEachBounded(page, { limit: ABORTS_AT_ONCE, signal }, (upload) => contents.abort(upload, signal));
    uploads += page.length;
    aborts.add(page, uploadText);
  }
  let versions = 0;
  let pages = 0;
  const deletes = new Repeats(target);
  for (let page = await contents.versions(signal); page.length > 0; page = await contents.versions(signal)) {
    signal.throwIfAborted();
    deletes.assertGone(page, versionText);
    const refusals = await contents.remove(page, signal);
    const [refused] = refusals;
    const deleted = page.length - refusals.length;
    versions += deleted;
    if (refused !== undefined && deleted === 0)
      throw new ObjectsFailed(`${textOf(target)}: ${keyText(refused.key)} cannot be deleted: ${refused.reason}`);
    // The store names the key of a refusal, and not the version.
    const refusedKeys = new Set(refusals.map(({ key }) => key));
    deletes.add(
      page.filter(({ key }) => !refusedKeys.has(key)),
      versionText,
    );
    if (++pages % PAGES_PER_NOTE === 0) note(`${textOf(target)}: ${grouped(versions)} deleted`);
  }
  return { ...target, uploads, versions };
}

const uploadText = ({ key, uploadId }: Upload): string => `the upload ${uploadId} of ${keyText(key)}`;
const versionText = ({ key, versionId }: Version): string => `the version ${versionId} of ${keyText(key)}`;

/** Counts how often the store said that it deleted an entry of the last page. */
class Repeats {
  private counts = new Map<string, number>();

  constructor(private readonly target: Target) {}

  /** @throws ObjectsFailed for an entry that stays. Without it the command would never end. */
  assertGone<T>(page: readonly T[], nameOf: (entry: T) => string): void {
    const stays = page.map(nameOf).find((name) => this.counts.get(name) === MOST_DELETES);
    if (stays === undefined) return;
    throw new ObjectsFailed(
      `${textOf(this.target)}: ${stays} is still there after ${MOST_DELETES} deletes: a retention policy keeps it, or something writes it again`,
    );
  }

  add<T>(deleted: readonly T[], nameOf: (entry: T) => string): void {
    this.counts = new Map(deleted.map(nameOf).map((name) => [name, (this.counts.get(name) ?? 0) + 1]));
  }
}
