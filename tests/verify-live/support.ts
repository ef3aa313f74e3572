/** A stack, a deployment and checks for tests of the command, without any cloud. */
import { parseBridgeConfig } from "../../components/config";
import type { BridgeCheck, StoreCheck, Subject } from "../../verify-live/check";
import type { Deployment, StackState } from "../../verify-live/deployment";

type Cloud = "aws" | "aws-cn" | "alicloud";

const REGIONS = { aws: "us-east-1", "aws-cn": "cn-north-1", alicloud: "cn-shanghai" } as const;

/** Settings by their names in the stack's file. */
export const settingsOf = (from: Cloud, to: Cloud, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  "crossborderbridge:name": "tested",
  "crossborderbridge:source": { cloud: from, region: REGIONS[from], bucket: "tested-source" },
  "crossborderbridge:destination": { cloud: to, region: from === to ? "us-west-1" : REGIONS[to], bucket: "tested-destination" },
  "crossborderbridge:allowedCidrs": ["203.0.113.0/24"],
  ...more,
});

export function subjectOf(from: Cloud, to: Cloud, more: Partial<Subject> & { settings?: Record<string, unknown> } = {}): Subject {
  const { settings = {}, ...flags } = more;
  const given = Object.entries(settingsOf(from, to, settings)).map(([name, value]) => [name.replace(/^.*:/, ""), value]);
  const { token: _token, ...config } = parseBridgeConfig(Object.fromEntries(given), { stack: "tested", tokenIsDeferred: true });
  return { config, local: false, ownStack: true, largeBytes: undefined, ...flags };
}

const FACTS = {
  fact: "A fact.",
  why: "A reason.",
  source: "docs/guarantees.md",
  reliesOn: ["verify-live/check.ts"],
  safeOn: "any-stack",
  timeoutMs: 60_000,
} as const;

export const bridgeCheck = (name: string, more: Partial<BridgeCheck> = {}): BridgeCheck => ({
  ...FACTS,
  name,
  on: "bridge",
  run: async () => [`${name} was seen`],
  ...more,
});

export const storeCheck = (name: string, on: StoreCheck["on"], more: Partial<StoreCheck> = {}): StoreCheck => ({
  ...FACTS,
  name,
  on,
  run: async (_context, side) => [`${name} was seen at the ${side.name}`],
  ...more,
});

export interface FakeDeployment extends Deployment {
  /** What was called, in order. */
  calls: string[];
  now: StackState;
}

/** A stack whose deployment has no cloud. */
export function fakeDeployment(
  settings: Record<string, unknown>,
  outputs: Record<string, unknown>,
  { now = "none", fails = {} }: { now?: StackState; fails?: { up?: Error; destroy?: Error } } = {},
): FakeDeployment {
  const calls: string[] = [];
  const deployment: FakeDeployment = {
    calls,
    now,
    settings: async () => settings,
    outputs: async () => outputs,
    state: async () => deployment.now,
    async up(onLine) {
      calls.push("up");
      onLine("creating");
      deployment.now = "partial";
      if (fails.up !== undefined) throw fails.up;
      deployment.now = "deployed";
      return { create: 7 };
    },
    async preview() {
      calls.push("preview");
      return { same: 7 };
    },
    async destroy() {
      calls.push("destroy");
      if (fails.destroy !== undefined) throw fails.destroy;
      deployment.now = "none";
      return { delete: 7 };
    },
  };
  return deployment;
}
