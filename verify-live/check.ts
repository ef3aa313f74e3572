/**
 * The contract of a check: one fact about a vendor's cloud that the code takes for true, and the work that shows whether it holds.
 * docs/verify-live.md has a row for every check, written from these fields.
 */
import type { Dispatcher } from "undici";
import type { OperatedBridge, SideAccess } from "../operator/operated-bridge";
import type { ObjectStore } from "../runtime/stores/object-store";
import type { OssNetwork } from "../runtime/stores/oss/endpoint";
import type { ChangeSummary, Deployment } from "./deployment";
import type { OwnKeys } from "./own-keys";

export type Config = OperatedBridge["config"];
export type SideName = "source" | "destination";
export const SIDES: readonly SideName[] = ["source", "destination"];

/** What is known of the stack before anything is deployed. */
export interface Subject {
  config: Config;
  /** The stack runs in the local clouds of this machine. */
  local: boolean;
  /** This run deploys the stack and destroys it again. */
  ownStack: boolean;
  /** Size of the object of `pair-large`. @default a MiB more than `inlineLimitBytes` */
  largeBytes: number | undefined;
}

export interface Load {
  objects: number;
  sizeBytes: number;
}

interface CheckFacts {
  /** Its name on the command line, in reports and in docs/verify-live.md: lower case with hyphens. */
  name: string;
  /** What the code takes for true, in one sentence. */
  fact: string;
  /** What goes wrong where it is not true. */
  why: string;
  /** The vendor's page, or the page of this repository that names the assumption. */
  source: string;
  /** Files of this repository that rely on the fact. */
  reliesOn: readonly string[];
  /** `any-stack`: it changes nothing but objects under its own prefix. `own-stack`: it disturbs the bridge, so it runs only in a stack that this run deployed. */
  safeOn: "any-stack" | "own-stack";
  /** Why the local clouds cannot show the fact. Absent where they can. */
  notLocal?: string | undefined;
  timeoutMs: number;
  /** The objects that it sends from one side to the other, for the estimate of the costs. */
  load?(subject: Subject): Load;
}

/** A check of the whole bridge. */
export interface BridgeCheck extends CheckFacts {
  on: "bridge";
  /** Why the stack cannot show the fact. Undefined where it can. */
  notFor?(subject: Subject): string | undefined;
  run(context: CheckContext): Promise<string[]>;
}

/** A check of one store. It runs once for each side that is in such a cloud. */
export interface StoreCheck extends CheckFacts {
  on: "s3" | "oss" | "any store";
  notFor?(subject: Subject, side: SideName): string | undefined;
  run(context: CheckContext, side: LiveSide): Promise<string[]>;
}

/**
 * `run` resolves to the evidence, a line for each observation. It throws `NotShown` where this run could not decide. Any other error means that
 * the fact does not hold; its message is the evidence.
 */
export type Check = BridgeCheck | StoreCheck;

/** The check could not decide. The message says why. */
export class NotShown extends Error {
  override name = "NotShown";
}

/** The fact does not hold. The message says what was seen instead. */
export class DoesNotHold extends Error {
  override name = "DoesNotHold";
}

export function holds(condition: boolean, seen: string): asserts condition {
  if (!condition) throw new DoesNotHold(seen);
}

/** One side of the bridge, with the operator's credentials. */
export interface LiveSide {
  name: SideName;
  cloud: Config["source"]["cloud"];
  region: string;
  bucket: string;
  /** Comes before every key of the scope on this side. */
  keyPrefix: string;
  /** Undefined for an adopted bucket. */
  versioned: boolean | undefined;
  access: SideAccess;
  /** Connections to this side. The runner closes them. */
  dispatcher: Dispatcher;
  store: ObjectStore;
  /** The way to a bucket of OSS: its custom domain, where the settings name one. */
  network: OssNetwork;
  /** Opens the bucket in another way. */
  open(options: { dispatcher?: Dispatcher; network?: OssNetwork; bucket?: string; versioned?: boolean }): ObjectStore;
}

export interface CheckContext extends Subject {
  stack: string;
  bridge: OperatedBridge;
  sides: Record<SideName, LiveSide>;
  keys: OwnKeys;
  /** What the first deployment did. Undefined in a stack that was there before. */
  deployed: ChangeSummary | undefined;
  /** Undefined for a stack of `npm start`. */
  deployment: Deployment | undefined;
  /** When this run began, ms since the epoch. */
  startedMs: number;
  /** Keeps recorded requests and answers, by file name. */
  keepFixture(name: string, content: string): Promise<void>;
  /** Aborts at Ctrl-C and at the end of the check's time. */
  signal: AbortSignal;
  note(text: string): void;
}
