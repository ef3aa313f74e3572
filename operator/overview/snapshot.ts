/** What the page and `watch --terminal` show of a bridge at one moment. It holds no credential and no URL, and it is plain JSON. Pure functions. */
import { groupByReason, type LetterGroup } from "../letters/letters";
import type { DeadLetters, OperatedBridge } from "../operated-bridge";
import { isInHand, type Known } from "../replication-status";
import type { LostBucket } from "../sides";
import type { Knowledge } from "../status/knowledge";
import { type ReasonGroup, ReasonGroups } from "../status/reasons";
import type { Flow, RecentKey } from "./activity";
import type { RunningCopy } from "./copies";
import { queueRemedy, type Remedy, remedyOf, type Trouble } from "./remedies";
import { type Stuck, stuckOf, type Unread, type Verdict, verdictOf } from "./verdict";

/** One side's bucket, as the operator's own credentials see it. */
export interface SideState {
  cloud: string;
  region: string;
  bucket: string;
  /** Undefined before the first look. */
  reachable: boolean | undefined;
  /** Why it is not reachable, and the way out. */
  message?: string | undefined;
}

/** Keys that have not arrived. */
export interface Backlog {
  /** Messages of the work queue. Undefined if there is none, or if it cannot be read. */
  queued: number | undefined;
  /** Keys in the outage queue. */
  held: number;
  /** Executions that run. Undefined outside mode push. */
  running: number | undefined;
  /** Keys that are known to wait, each with its reason. Some of them are counted above as well. */
  known: number;
  /** Whether `held` and `running` are all of them. */
  complete: boolean;
  /** The key that the bridge has had the longest. */
  oldest?: { key: string; sinceMs: number } | undefined;
}

export interface Letter {
  key: string;
  reason: string;
  parkedMs?: number | undefined;
}

export interface Snapshot {
  /** When it was made, by the clock of this machine; ms since the epoch, as every time here. */
  atMs: number;
  stack: string;
  mode: string;
  direction: string;
  local: boolean;
  verdict: Verdict;
  /** Whether events are held back by `pause`. Undefined if that cannot be read. */
  paused: boolean | undefined;
  /** What could not be read at this look. */
  unread: Unread[];
  /** Keys that the bridge has in hand, as far as they were seen. */
  waiting: number;
  /** Errors of the source's functions without a key, of the last 20 minutes: the functions themselves fail. */
  errors?: Knowledge["errors"];
  /** Queues that are gone, with what that means. */
  gone: string[];
  /** The command that creates them again. */
  goneRemedy?: Remedy | undefined;
  source: SideState;
  destination: SideState;
  backlog: Backlog;
  troubles: Trouble[];
  /** Undefined if no key is. */
  stuck?: Stuck | undefined;
  /** `total` may be more than the letters that are listed, and less than there are if it is not `complete`. */
  letters: { total: number; complete: boolean; groups: LetterGroup[]; listed: Letter[] };
  flow: Flow;
  /** The newest first. */
  recent: RecentKey[];
  copies: RunningCopy[];
  /** What could not be read, and what went wrong without a key. */
  notes: string[];
}

/** What was read for one snapshot. */
export interface Gathered {
  nowMs: number;
  local: boolean;
  /** Undefined before the first look. */
  lost: readonly LostBucket[] | undefined;
  knowledge: Pick<Knowledge, "letters" | "known" | "queued" | "notes" | "errors" | "gone">;
  /** Whether the letters are all letters of the queue. */
  lettersComplete: boolean;
  held: { count: number; complete: boolean };
  running: { count: number; complete: boolean };
  flow: Flow;
  recent: RecentKey[];
  copies: RunningCopy[];
  paused: boolean | undefined;
  /** Whether the log of the source's functions was read. */
  logRead: boolean;
  notes: readonly string[];
}

const MAX_LISTED = 200;
const MAX_GROUPS = 50;

export function makeSnapshot(bridge: OperatedBridge, gathered: Gathered): Snapshot {
  const { nowMs, local, lost, knowledge, lettersComplete, held, running, flow, recent, copies, paused, notes } = gathered;
  const { stack, config } = bridge;
  const inHand = [...knowledge.known].filter(([, known]) => isInHand(known, nowMs));
  const troubles = troublesOf(inHand, knowledge.letters).map((group) => ({ ...group, remedy: remedyOf(group, bridge, local) }));
  const seen = {
    ...{ atMs: nowMs, stack, mode: config.mode, direction: config.direction, local, paused, errors: knowledge.errors },
    gone: [...knowledge.gone].sort(),
    goneRemedy: knowledge.gone.length === 0 ? undefined : queueRemedy(bridge, local),
    unread: unreadOf(bridge, gathered),
    source: sideState(bridge.source, lost),
    destination: sideState(bridge.destination, lost),
    backlog: {
      queued: knowledge.queued,
      held: held.count,
      running: config.mode === "push" ? running.count : undefined,
      known: inHand.length,
      complete: held.complete && running.complete,
      oldest: oldestOf(inHand),
    },
    troubles,
    stuck: stuckOf(troubles),
    letters: listed(knowledge.letters, lettersComplete),
    flow,
    recent,
    copies,
    notes: [...new Set([...notes, ...knowledge.notes])],
  };
  const counted = { ...seen, waiting: waitingKeys(seen.backlog) };
  return { ...counted, verdict: verdictOf(counted) };
}

/** A key in the work queue may be one of those that are known by their reason, so the two are not added. */
function waitingKeys({ queued = 0, held, running = 0, known }: Backlog): number {
  return Math.max(queued + held + running, known);
}

/** Only parts that this bridge has. */
function unreadOf(
  { config, outputs }: OperatedBridge,
  { lost, lettersComplete, knowledge, held, running, logRead }: Gathered,
): Unread[] {
  const isNative = config.mode === "native";
  const parts: [Unread, boolean][] = [
    ["sides", lost === undefined],
    ["letters", !lettersComplete],
    ["queue", outputs.queueUrl !== undefined && knowledge.queued === undefined],
    ["outage", !held.complete],
    ["executions", !running.complete],
    ["log", !isNative && !logRead],
  ];
  return parts.flatMap(([name, isUnread]) => (isUnread ? [name] : []));
}

function sideState({ side, cloud, region, bucket }: OperatedBridge["source"], lost: Gathered["lost"]): SideState {
  const message = lost?.find((one) => one.side === side)?.message;
  return { cloud, region, bucket, reachable: lost && message === undefined, message };
}

function oldestOf(inHand: readonly [string, Known][]): Backlog["oldest"] {
  let oldest: Backlog["oldest"];
  for (const [key, { sinceMs }] of inHand)
    if (sinceMs !== undefined && (oldest === undefined || sinceMs < oldest.sinceMs)) oldest = { key, sinceMs };
  return oldest;
}

function troublesOf(inHand: readonly [string, Known][], letters: DeadLetters["letters"]): ReasonGroup[] {
  const groups = new ReasonGroups();
  for (const [key, progress] of inHand) groups.add({ key, status: "PENDING", reason: progress.reason, progress });
  for (const { key, reason } of letters) groups.add({ key, status: "FAILED", reason });
  return groups.list();
}

function listed(letters: DeadLetters["letters"], complete: boolean): Snapshot["letters"] {
  const timeOf = ({ parkedAt }: DeadLetters["letters"][number]) => parkedAt?.getTime() ?? 0;
  const newest = [...letters].sort((a, b) => timeOf(b) - timeOf(a)).slice(0, MAX_LISTED);
  return {
    total: letters.length,
    complete,
    groups: groupByReason(letters).slice(0, MAX_GROUPS),
    listed: newest.map(({ key, reason, parkedAt }) => ({ key, reason, parkedMs: parkedAt?.getTime() })),
  };
}
