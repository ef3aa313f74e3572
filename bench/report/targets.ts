/** Compares what was measured with what must hold. */

import type { ObjectPlan } from "../objects";
import { PEERS, type PeerName } from "../peers";
import type { ContenderResult } from "../runner";
import type { Target } from "../workload";
import { type Ratio, ratioOf, spreadOf } from "./statistics";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

export interface Verdict {
  own: string;
  target: string;
  measured: string;
  /** The ratio of the two times. Present where the target is about a peer. */
  ratio?: Ratio | undefined;
  isMet: boolean;
}

export const timesOf = ({ runs }: ContenderResult): number[] => runs.map(({ wallSeconds }) => wallSeconds);

export function bestPeer(contenders: readonly ContenderResult[]): ContenderResult | undefined {
  const peers = contenders.filter(({ isOwn }) => !isOwn);
  const median = (one: ContenderResult) => spreadOf(timesOf(one)).median;
  return peers.reduce<ContenderResult | undefined>((best, one) => (best && median(best) <= median(one) ? best : one), undefined);
}

/** @returns undefined where a contender of the target was not measured */
export function verdictOn(target: Target, contenders: readonly ContenderResult[], objects: ObjectPlan): Verdict | undefined {
  const own = contenders.find(({ name }) => name === target.own);
  if (own === undefined) return undefined;
  switch (target.what) {
    case "time":
    case "rate":
      return versusPeer(target, own, contenders);
    case "cpuPerGib": {
      const gib = (objects.count * objects.sizeBytes) / GIB;
      const measured = spreadOf(own.runs.map(({ cpuSeconds }) => cpuSeconds)).median / gib;
      return absolute(own, `at most ${target.atMost} CPU s per GiB`, `${measured.toFixed(2)} s`, measured <= target.atMost);
    }
    case "rss": {
      const measured = Math.max(...own.runs.map(({ rssBytes }) => rssBytes));
      const text = `at most ${target.atMostBytes / MIB} MiB of memory`;
      return absolute(own, text, `${Math.round(measured / MIB)} MiB`, measured <= target.atMostBytes);
    }
  }
}

function absolute(own: ContenderResult, target: string, measured: string, isMet: boolean): Verdict {
  return { own: own.label, target, measured, isMet };
}

function versusPeer(
  target: Extract<Target, { what: "time" | "rate" }>,
  own: ContenderResult,
  contenders: readonly ContenderResult[],
): Verdict | undefined {
  const peer = peerOf(target.peer, contenders);
  if (peer === undefined) return undefined;
  const ratio = ratioOf(timesOf(own), timesOf(peer));
  const name = target.peer === "best" ? `the best peer (${peer.label})` : PEERS[target.peer].label;
  const isMet = ratio.value <= timeLimit(target);
  if (target.what === "time")
    return { own: own.label, target: `at most ${target.atMost} x the time of ${name}`, measured: ratioText(ratio), ratio, isMet };
  const rates = { value: 1 / ratio.value, least: 1 / ratio.most, most: 1 / ratio.least };
  return { own: own.label, target: `at least ${target.atLeast} x the rate of ${name}`, measured: ratioText(rates), ratio, isMet };
}

const peerOf = (peer: PeerName | "best", contenders: readonly ContenderResult[]): ContenderResult | undefined =>
  peer === "best" ? bestPeer(contenders) : contenders.find(({ name }) => name === peer);

/** The largest time that meets the target, as a multiple of the peer's. */
const timeLimit = (target: Extract<Target, { what: "time" | "rate" }>): number =>
  target.what === "time" ? target.atMost : 1 / target.atLeast;

/** The largest time that meets every target of this way of the product, as a multiple of the best peer's. */
export function limitOnBest(own: string, targets: readonly Target[], contenders: readonly ContenderResult[]): number | undefined {
  const best = bestPeer(contenders);
  if (best === undefined) return undefined;
  const limits = targets.flatMap((target) => {
    if (target.own !== own || (target.what !== "time" && target.what !== "rate")) return [];
    const peer = peerOf(target.peer, contenders);
    return peer === undefined ? [] : timeLimit(target) * spreadOf(timesOf(peer)).median;
  });
  return limits.length === 0 ? undefined : Math.min(...limits) / spreadOf(timesOf(best)).median;
}

/** `0.73 (0.70 to 0.79)` */
export const ratioText = ({ value, least, most }: Ratio): string =>
  `${value.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
