/** Finds in the source's log the recent refusals that the functions got. */
import { at, textAt } from "../../../runtime/protocol/json";
import type { LogLine } from "../../operated-bridge";
import { isInHand } from "../../replication-status";
import { counted, generalised, keyText } from "../../text";
import { type Check, type CheckedStack, type Problem, SIDES, type View } from "../check";
import { configCommand, inOrder, refreshCommand, upCommand } from "../paste";

/** How long a refusal in the log counts. */
const RECENT_MS = 5 * 60_000;
const MAX_LINES = 2_000;

/** The receiver's refusals, in the words of `runtime/roles/sender/receiver-client.ts`, each with its way out. */
const REFUSALS: readonly { pattern: RegExp; fix(view: View): string }[] = [
  { pattern: /signing secrets .* differ|too many requests .* failed their signature/, fix: refreshCommand },
  {
    pattern: /not in the receiver's allowedCidrs/,
    fix: (view) => inOrder(configCommand(view, "allowedCidrs[0]", "<the address in the receiver's log>/32"), upCommand(view)),
  },
  { pattern: /the platform refused the request before the receiver saw it/, fix: refreshCommand },
  { pattern: /the sender's clock is ahead|the signature is too old/, fix: refreshCommand },
  { pattern: /nothing is deployed at receiverUrl|redirects are not followed|belongs to another bridge/, fix: refreshCommand },
];

const isPull = ({ config, outputs }: CheckedStack): boolean => config.mode === "pull" && outputs !== undefined;

async function recentLines({ stack, signal }: View): Promise<LogLine[]> {
  const sinceMs = stack.now() - RECENT_MS;
  const log = await stack.bridge?.log({ sinceMs, limit: MAX_LINES, signal });
  return (log?.lines ?? []).filter(({ atMs }) => atMs >= sinceMs);
}

/** When the receiver last took a request of the sender: a refusal before that is mended. */
async function lastSuccessMs({ stack, signal }: View): Promise<number> {
  const sinceMs = stack.now() - RECENT_MS;
  const log = await stack.bridge?.activity("source", { sinceMs, limit: MAX_LINES, signal });
  const successes = (log?.lines ?? []).filter(
    ({ message, fields }) =>
      message === "metrics" &&
      ["Replicated", "Unchanged"].some((name) => [at(fields.metrics, name)].flat().some((n) => Number(n) > 0)),
  );
  return Math.max(0, ...successes.map(({ atMs }) => atMs));
}

const senderRefused: Check = {
  name: "sender-refused",
  looksAt: "what the sender logged in the last 5 minutes about answers of the receiver, and no success after it",
  why: "The receiver's answer to the sender is the only proof of the sender's address, its clock and its secret.",
  when: "after",
  needs: ["credentials"],
  sides: (stack) => (isPull(stack) ? ["source"] : []),
  async run(view) {
    const [lines, mendedMs] = [await recentLines(view), await lastSuccessMs(view)];
    const reasons = new Map<string, Problem>();
    for (const { fields, atMs } of lines) {
      if (atMs <= mendedMs) continue;
      const reason = textAt(fields, "reason") ?? textAt(fields, "error") ?? "";
      const refusal = REFUSALS.find(({ pattern }) => pattern.test(reason));
      if (refusal !== undefined)
        reasons.set(refusal.pattern.source, { what: `the sender logged: ${reason}`, fix: refusal.fix(view) });
    }
    return [...reasons.values()];
  },
};

/** Answers of a store to a role that lacks a permission. */
const DENIED = /AccessDenied|Forbidden|HTTP 403|KMS\.DisabledException|KMSAccessDenied/i;

const storeRefused: Check = {
  name: "store-refused",
  looksAt: "keys that wait because the store refused a function of the bridge in the last 5 minutes",
  why: "Only the store's answer to the functions shows that their role, a policy or a key was changed: all such keys become dead letters.",
  when: "after",
  needs: ["credentials"],
  sides: ({ config, outputs }) => (config.mode !== "native" && outputs !== undefined ? SIDES : []),
  async run(view) {
    const nowMs = view.stack.now();
    const groups = new Map<string, { keys: number; example: string }>();
    for (const [key, line] of newestOf(await recentLines(view))) {
      if (!isDenied(line, view) || !isWaiting(line, nowMs)) continue;
      const reason = generalised(textAt(line.fields, "reason") ?? "");
      const group = groups.get(reason) ?? { keys: 0, example: key };
      groups.set(reason, { ...group, keys: group.keys + 1 });
    }
    return [...groups].map(([reason, { keys, example }]) => ({
      what: `${counted(keys, "key waits", "keys wait")}, for example ${keyText(example)}: ${reason}`,
      fix: refreshCommand(view),
    }));
  },
};

/** The newest line of each key. */
function newestOf(lines: readonly LogLine[]): Map<string, LogLine> {
  const newest = new Map<string, LogLine>();
  for (const line of lines) if (typeof line.fields.key === "string") newest.set(line.fields.key, line);
  return newest;
}

const isDenied = ({ fields }: LogLine, { side }: View): boolean =>
  fields.place === side && DENIED.test(textAt(fields, "reason") ?? "");

/** Whether the key has not gone on since. */
function isWaiting({ message, atMs, fields: { nextTryMs } }: LogLine, nowMs: number): boolean {
  const state = message === "put back" ? "queued" : message === "held" ? "held" : "parked";
  const next = typeof nextTryMs === "number" ? nextTryMs : undefined;
  return isInHand({ state, atMs, nextTryMs: next, failures: 0, waits: 0 }, nowMs);
}

export const REFUSAL_CHECKS: readonly Check[] = [senderRefused, storeRefused];
