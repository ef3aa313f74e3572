/** The names and keys of probe objects. A name is the same on both sides; each side adds its own prefix and suffix to make the key. */
import type { ProberConfig } from "../../protocol/env";

export type ProbeSide = ProberConfig["side"];
export type ProbePlace = Pick<ProberConfig, "keyPrefix" | "probePrefix" | "suffix">;

export const OTHER_SIDE: Record<ProbeSide, ProbeSide> = { source: "destination", destination: "source" };

export function probeKey({ keyPrefix, probePrefix, suffix }: ProbePlace, name: string): string {
  return `${keyPrefix}${probePrefix}${name}${suffix}`;
}

/** Undefined for the key of any other object. */
export function probeName({ keyPrefix, probePrefix, suffix }: ProbePlace, key: string): string | undefined {
  const start = `${keyPrefix}${probePrefix}`;
  const isProbe = key.startsWith(start) && key.endsWith(suffix) && key.length > start.length + suffix.length;
  return isProbe ? key.slice(start.length, key.length - suffix.length) : undefined;
}

/** The prefix of every canary's name, of all bridges: bridges may share a bucket. */
export const CANARIES = "canary/";

/** One bridge's object of one slot in one direction. Both sides derive it from their own schedule. */
export interface Canary {
  bridgeId: string;
  /** The side where it is put. */
  from: ProbeSide;
  /** When its slot begins; whole minutes, ms since the epoch. */
  slotMs: number;
}

export function canaryName({ bridgeId, from, slotMs }: Canary): string {
  return `${CANARIES}${bridgeId}/${from}-${stampOf(slotMs)}`;
}

const CANARY_NAME = /^canary\/(.+)\/(source|destination)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z$/;

/** Undefined for a name that `canaryName` does not make. */
export function parseCanaryName(name: string): Canary | undefined {
  const [, bridgeId = "", from, year, month, day, hour, minute] = CANARY_NAME.exec(name) ?? [];
  const slotMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:00Z`);
  if (from === undefined || Number.isNaN(slotMs)) return undefined;
  const canary: Canary = { bridgeId, from: from as ProbeSide, slotMs };
  return canaryName(canary) === name ? canary : undefined;
}

/** `20260301T0005Z`: readable for a person who finds the object. */
function stampOf(slotMs: number): string {
  return `${new Date(slotMs).toISOString().slice(0, 16).replace(/[-:]/g, "")}Z`;
}
