/** States of the model of long copies. An object is a number: 0 is absent, odd numbers are large, even numbers are small. */

export interface LeaseOptions {
  writes: number;
  /** Number of crashes and late starts together. */
  crashes: number;
  conditionalWrites: boolean;
  /** A receiver reads the lease before the destination. */
  leaseFirst: boolean;
  /** A receiver does not write a key while a copier may run. */
  respectLease: boolean;
  /** A lease ends after the copier's hard end, never before. */
  leaseOutlastsCopier: boolean;
  /** A receiver that takes over an expired lease aborts its upload. */
  fenceUpload: boolean;
  /** A newer notice marks the lease. The copier checks the mark before it completes. */
  stopMark: boolean;
  /** The copier reads the source again before it completes. */
  checkSource: boolean;
  /**
   * Who reads the lease for a small or absent object. `asked`: an attempt for a message that was asked about before, or that may have been.
   * `every`: each attempt. `none`: no attempt.
   */
  leaseReadBy: "every" | "asked" | "none";
  /** A message that is delivered again counts as asked about. */
  marksRedelivered: boolean;
}

export interface Lease {
  at: "written" | "taken" | "over";
  wanted: number;
  stop: boolean;
}

export interface Attempt {
  at: "begun" | "half" | "looked" | "launching" | "clear" | "read" | "landed";
  wanted: number;
  /** The destination when the attempt read it. */
  seen: number;
  /** The lease when the attempt read it. */
  held: Lease | undefined;
  /** The lease has not changed since, so compare-and-swap succeeds. In `launching`: this attempt still owns the lease. */
  current: boolean;
  readsLease: boolean;
}

export interface Message {
  at: "waiting" | "snapped" | "asking" | "answered";
  snapshot: number;
  /** An attempt for this message may have been made before. */
  asked: boolean;
  attempt: Attempt | undefined;
  /** Attempts whose sender no longer waits. The message is delivered again only after they have ended. */
  orphans: Attempt[];
}

export interface Copier {
  at: "launched" | "begun" | "copied" | "looked" | "checked" | "fenced" | "ending";
  wanted: number;
  seen: number;
  /** The lease names this copier. */
  owns: boolean;
  /** Its upload still exists. */
  upload: boolean;
  /** It has crashed. Its last request may still take effect. */
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

export const WAITING: Message = { at: "waiting", snapshot: 0, asked: false, attempt: undefined, orphans: [] };
export const isLarge = (state: number): boolean => state % 2 === 1;

export function replaceAt<T>(list: readonly T[], index: number, next: T | undefined): T[] {
  return list.flatMap((one, at) => (at !== index ? [one] : next === undefined ? [] : [next]));
}

export function nameLease(lease: Lease | undefined): string {
  return lease === undefined ? "-" : `${lease.at}${lease.wanted}${lease.stop}`;
}

export function nameMessage({ at, snapshot, asked, attempt, orphans }: Message): string {
  return `${at}${snapshot}${asked}(${attempt === undefined ? "" : nameAttempt(attempt)})${orphans.map(nameAttempt).sort().join("+")}`;
}

export function nameAttempt({ at, wanted, seen, held, current, readsLease }: Attempt): string {
  return `${at}${wanted}${seen}${nameLease(held)}${current}${readsLease}`;
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
