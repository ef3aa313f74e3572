/** The states of the model of long copies. A state of the key is a number: 0 is absent, odd ones are large and even ones small. */

export interface LeaseOptions {
  writes: number;
  /** Functions that crash, and starts that come later than their lease allows. */
  crashes: number;
  conditionalWrites: boolean;
  /** A receiver looks at the lease before it looks at the destination. */
  leaseFirst: boolean;
  /** A receiver leaves a key alone while a copier may live. */
  respectLease: boolean;
  /** A lease ends after the copier's hard end, never before. */
  leaseOutlastsCopier: boolean;
  /** Whoever takes over a lease that has run out aborts the upload that it names. */
  fenceUpload: boolean;
  /** A newer notice marks the lease, and the copier looks for the mark before it completes. */
  stopMark: boolean;
  /** The copier looks at the source once more before it completes. */
  checkSource: boolean;
}

export interface Lease {
  at: "written" | "taken" | "over";
  wanted: number;
  stop: boolean;
}

export interface Attempt {
  at: "begun" | "half" | "looked" | "launching" | "clear" | "read" | "landed";
  wanted: number;
  /** The destination as it looked. */
  seen: number;
  /** The lease as it looked. */
  held: Lease | undefined;
  /** Nobody has changed the lease since: what compare-and-swap asks. For `launching`, whether it still is this attempt's own. */
  current: boolean;
}

export interface Message {
  at: "waiting" | "snapped" | "asking" | "answered";
  snapshot: number;
  attempt: Attempt | undefined;
  /** Attempts that nobody waits for; the message is only seen again when they are over. */
  orphans: Attempt[];
}

export interface Copier {
  at: "launched" | "begun" | "copied" | "looked" | "checked" | "fenced" | "ending";
  wanted: number;
  seen: number;
  /** The lease names this copier. */
  owns: boolean;
  /** Its upload is still there. */
  upload: boolean;
  /** What it has sent may land, but it does nothing more. */
  dead: boolean;
}

export interface LeaseState {
  source: number;
  destination: number;
  written: number;
  crashes: number;
  lease: Lease | undefined;
  messages: Message[];
  copiers: Copier[];
}

export const WAITING: Message = { at: "waiting", snapshot: 0, attempt: undefined, orphans: [] };
export const isLarge = (state: number): boolean => state % 2 === 1;

export function replaceAt<T>(list: readonly T[], index: number, next: T | undefined): T[] {
  return list.flatMap((one, at) => (at !== index ? [one] : next === undefined ? [] : [next]));
}

export function nameLease(lease: Lease | undefined): string {
  return lease === undefined ? "-" : `${lease.at}${lease.wanted}${lease.stop}`;
}

export function nameMessage({ at, snapshot, attempt, orphans }: Message): string {
  return `${at}${snapshot}(${attempt === undefined ? "" : nameAttempt(attempt)})${orphans.map(nameAttempt).sort().join("+")}`;
}

export function nameAttempt({ at, wanted, seen, held, current }: Attempt): string {
  return `${at}${wanted}${seen}${nameLease(held)}${current}`;
}

export function nameCopier({ at, wanted, seen, owns, upload, dead }: Copier): string {
  return `${at}${wanted}${seen}${owns}${upload}${dead}`;
}

export function word(state: number): string {
  return state === 0 ? "absent" : `${isLarge(state) ? "large" : "small"} v${Math.ceil(state / 2)}`;
}

export function sight(lease: Lease | undefined): string {
  return lease === undefined ? "no lease" : lease.at === "over" ? "a lease that is over" : `a lease for ${word(lease.wanted)}`;
}
