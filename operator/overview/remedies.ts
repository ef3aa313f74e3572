/** The way out for a reason: the command that mends it, and the section of docs/runbook.md. */
import type { OperatedBridge } from "../operated-bridge";
import { COMMAND } from "../places";
import type { ReasonGroup } from "../status/reasons";

/** In the order in which they are tried: the first whose words are in the reason applies. */
const KNOWN_REASONS = {
  secrets: { words: /signing secrets?\b.*\bdiffer/i, section: "the-signing-secrets-differ" },
  platform403: { words: /answered 403|platform refused/i, section: "403-between-the-sides" },
  noBucket: { words: /NoSuchBucket|bucket does not exist/, section: "the-destination-bucket-is-gone" },
  denied: { words: /AccessDenied|Forbidden|InvalidAccessKeyId|SignatureDoesNotMatch/i, section: "access-is-denied" },
  room: { words: /copies run, as many as copy\.concurrency/, section: "waiting-for-room" },
  throttled: { words: /SlowDown|TooManyRequests|throttl|answered 429/i, section: "a-store-throttles" },
  copying: { words: /a copy is running|ran out of time/i, section: "a-slow-border" },
  archived: { words: /\barchived?\b|restore/i, section: "archived-objects" },
  altered: { words: /does not keep the object as it was written/, section: "the-destination-alters-objects" },
  swapped: { words: /two bridges in opposite directions/, section: "two-bridges-in-opposite-directions" },
  unreachable: {
    words: /cannot be (connected|reached)|does not answer|no answer|answered 5\d\d|ECONN|ENOTFOUND/,
    section: "receiver-unreachable",
  },
} as const;

/** `nothingQueued` and `givenUp` follow from the status, `noQueue` from a queue that is gone, the others from the reason. */
export type RemedyId = keyof typeof KNOWN_REASONS | "nothingQueued" | "givenUp" | "noQueue";

export interface Remedy {
  id: RemedyId;
  /** In docs/runbook.md. */
  section: string;
  /** What to do, in a sentence. */
  advice: string;
  /** To be run in the folder of the program. Undefined where only waiting helps, or where the cause is outside the bridge. */
  command?: string | undefined;
  /** What to do before it: that of the cause. */
  first?: Remedy | undefined;
}

/** Keys with one reason, and what to do. */
export interface Trouble extends ReasonGroup {
  remedy?: Remedy | undefined;
}

/** Of the first column of texts. */
const LABEL_WIDTH = 14;

export const ADVICE: Readonly<Record<RemedyId, string>> = {
  secrets: "Put the same signing secret at both ends. The keys then go on by themselves.",
  platform403:
    "The platform refused the request: check the ICP licence, the allowlist and the right to invoke. The keys then go on by themselves.",
  noBucket: "Create the bucket again, then run a backfill: what had arrived before is gone.",
  denied: "Somebody changed a policy, a role or a key. Put the deployment back as it was declared.",
  room: "As many large copies run as may run at once. Wait, or raise copy.concurrency.",
  throttled: "A store or the receiver asks for fewer requests. Wait: the delays grow, and no attempt is counted.",
  copying: "A large copy runs. Wait for its end.",
  archived: "The object is in an archive class. Restore it, and wait until it can be read.",
  altered: "Something at the destination changes what is written. Switch it off for the bridge's prefix.",
  swapped: "Two one-way bridges work on the same keys. Give each direction a prefix of its own.",
  unreachable:
    "The other side does not answer. Is it deployed? The keys wait, one request a minute asks for it, and then all of them go on by themselves.",
  nothingQueued: "Nothing is queued for these objects. A backfill hands them over.",
  noQueue: "Put the queue back, then run a backfill: what was written meanwhile has no event.",
  givenUp: "The bridge gave these keys up. Mend the cause, then send the letters again.",
};

type Bridge = Pick<OperatedBridge, "stack" | "config"> & { source: Pick<OperatedBridge["source"], "bucket" | "keyPrefix"> };

/** Undefined for a reason that has no entry. */
export function remedyOf(group: ReasonGroup, bridge: Bridge, local: boolean): Remedy | undefined {
  const { status, reason } = group;
  const make = (id: RemedyId, section: string): Remedy => ({
    ...{ id, section, advice: ADVICE[id] },
    command: commandFor(id, group, bridge, local),
  });
  if (status === "NONE") return make("nothingQueued", "nothing-is-queued-for-an-object");
  const ids = Object.keys(KNOWN_REASONS) as (keyof typeof KNOWN_REASONS)[];
  const id = ids.find((one) => KNOWN_REASONS[one].words.test(reason));
  const cause = id && make(id, KNOWN_REASONS[id].section);
  if (status !== "FAILED") return cause;
  return { ...make("givenUp", cause?.section ?? "dead-letters-not-empty"), first: cause };
}

/** The way out for a queue that is gone. */
export function queueRemedy(bridge: Bridge, local: boolean): Remedy {
  const command = commandFor("noQueue", { example: "" }, bridge, local);
  return { id: "noQueue", section: "a-queue-is-gone", advice: ADVICE.noQueue, command };
}

function commandFor(
  id: RemedyId,
  { example }: Pick<ReasonGroup, "example">,
  { stack, config, source }: Bridge,
  local: boolean,
): string | undefined {
  const named = `--stack ${quoted(stack)}`;
  const bridge = (command: string) => bridgeCommand(command, { stack, local });
  // The engine of a local stack runs inside `npm start`.
  const deploy = local ? `npm start -- --redeploy ${named}` : `pulumi up --refresh ${named}`;
  switch (id) {
    case "secrets":
      // The operator owns the parameters that a stack only names.
      return config.auth.tokenParameter === undefined ? deploy : undefined;
    case "denied":
    case "unreachable":
      return deploy;
    case "noBucket":
    case "noQueue":
      // What had arrived before sends no event again.
      return `${deploy} && ${bridge("backfill")}`;
    case "archived": {
      const key = source.keyPrefix + example;
      if (config.source.cloud === "alicloud") return `ossutil restore ${quoted(`oss://${source.bucket}/${key}`)}`;
      return `aws s3api restore-object --bucket ${source.bucket} --key ${quoted(key)} --restore-request Days=3`;
    }
    case "room": {
      if (local) return undefined;
      const more = 2 * config.copy.concurrency;
      return `pulumi config set --path crossborderbridge:copy.concurrency ${more} ${named} && pulumi up ${named}`;
    }
    case "nothingQueued":
      return bridge("backfill");
    case "givenUp":
      return bridge("redrive");
    default:
      return undefined;
  }
}

/** A command of this program for the bridge. */
export const bridgeCommand = (command: string, { stack, local }: { stack: string; local: boolean }): string =>
  `${COMMAND} ${command} --stack ${quoted(stack)}${local ? " --local" : ""}`;

/** Each remedy once, with its command; the remedy of the cause comes first. Empty if there is none. */
export function remediesText(groups: readonly { remedy?: Remedy | undefined }[]): string {
  const all = groups
    .flatMap(({ remedy }) => (remedy === undefined ? [] : [remedy.first, remedy]))
    .filter((one) => one !== undefined);
  const once = new Map(all.map((remedy) => [`${remedy.id} ${remedy.section} ${remedy.command}`, remedy]));
  return [...once.values()]
    .flatMap(({ advice, command, section }) => [
      `${"do".padEnd(LABEL_WIDTH)}${advice} (docs/runbook.md#${section})`,
      ...(command === undefined ? [] : [`${"".padEnd(LABEL_WIDTH)}${command}`]),
    ])
    .join("\n");
}

/** As one word of a shell. */
export const quoted = (text: string): string => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
