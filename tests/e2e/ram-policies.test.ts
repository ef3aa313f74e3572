/**
 * Every policy in Alibaba Cloud is sufficient and minimal. A run takes every path, and RAM's rules evaluate the calls of the bridges' roles
 * against the declared policies.
 */

import type { CallRecord } from "local-alicloud";
import { settled } from "../../local/closers";
import { type LocalClouds, startLocalClouds } from "../../local/local-clouds";
import { type AllWires, BRIDGES, type Bridge, deploy, type Mode, STACKS, startWires } from "./policy/ram-bridges";
import { type DeclaredRole, declaredRoles, grantsOf, idleGrants, isAllowed, type Need } from "./policy/ram-declared";
import { replicateNatively, takeEveryPath } from "./policy/ram-paths";
import { outageCalls, vendorCalls } from "./policy/ram-vendor-calls";
import { exerciseProbers } from "./support/probe-canaries";

/** Timeout of three deployments and their runs, on two busy cores. */
const RUN_MS = 900_000;
const PARTS: Record<Mode, readonly string[]> = {
  push: ["dispatcher", "pusher", "flow", "events"],
  pull: ["sender", "receiver", "copier", "events"],
  native: ["replication"],
};
const PROBERS = ["prober-source", "prober-dest"];
const ROLE_NAMES = BRIDGES.flatMap(({ name, mode }) =>
  [...PARTS[mode], ...PROBERS].map((part) => `crossborderbridge-${name}-${part}`),
).sort();
const VENDOR_CALLS = BRIDGES.flatMap(vendorCalls);
const OUTAGE_CALLS = BRIDGES.flatMap(outageCalls);

let clouds: LocalClouds;
let wires: AllWires | undefined;
/** Bridges that are deployed, also if another deployment fails. */
const bridges: Bridge[] = [];
let roles: DeclaredRole[];
/** Calls of all principals except the account, which the provider and this test use. */
let calls: readonly CallRecord[];
let needs: Need[];

beforeAll(async () => {
  clouds = await startLocalClouds({ clouds: ["alicloud"], recordCalls: true, scheduleMinuteMs: 5_000 });
  const stretched = await startWires(clouds);
  wires = stretched;
  await settled(...BRIDGES.map(async (spec) => bridges.push(await deploy(clouds, spec))));
  const { alicloud } = clouds;
  const deployed = alicloud.calls.length;
  await Promise.all(
    bridges.map((bridge) =>
      bridge.mode === "native" ? replicateNatively(bridge) : takeEveryPath(bridge, stretched[bridge.mode]),
    ),
  );
  await Promise.all(bridges.map(({ local, mode }) => exerciseProbers(local, STACKS[mode])));
  const states = await Promise.all(bridges.map(({ local, mode }) => local.engine.exportStack({ stack: STACKS[mode] })));
  roles = states.flatMap(declaredRoles);
  const isTheirs = ({ principal }: CallRecord) => principal?.arn !== `acs:ram::${alicloud.accountId}:root`;
  calls = alicloud.calls.filter(isTheirs);
  // During a deployment the services only check permissions of the roles. Only replication begins at once.
  needs = unique(
    alicloud.calls
      .filter((call, index) => isTheirs(call) && (index >= deployed || call.action.startsWith("oss:Replicate")))
      .flatMap(needOf),
  );
}, RUN_MS);

afterAll(async () => {
  for (const { source, destination, events } of bridges) for (const one of [source, destination, events]) one.close();
  await Promise.all(bridges.map(({ local }) => local.stop()));
  await wires?.close();
  await clouds?.stop();
});

test("every role of the bridges made calls, and no unknown principal did", () => {
  expect(roles.map(({ roleName }) => roleName).sort()).toEqual(ROLE_NAMES);
  expect([...new Set(needs.map(({ roleName }) => roleName))].sort()).toEqual(ROLE_NAMES);
  const unknown = calls.filter((call) => needOf(call).length === 0 && call.action !== "sts:AssumeRole");
  expect(unknown).toEqual([]);
});

test("exactly the declared policies are attached", () => {
  const attached = ROLE_NAMES.map((roleName) => ({
    roleName,
    documents: clouds.alicloud.ram.policiesOfRole(roleName).map(({ policyDocument }) => JSON.parse(policyDocument) as unknown),
  }));
  const declared = ROLE_NAMES.map((roleName) => ({
    roleName,
    documents: roles.filter((role) => role.roleName === roleName).map(({ document }) => document),
  }));
  expect(attached).toEqual(declared);
});

test("the local cloud enforces policies and trust, and refused no call", () => {
  expect(calls.filter(({ allowed }) => !allowed)).toEqual([]);
  expect(calls.length).toBeGreaterThan(500);
});

test("every call is allowed by the declared policies alone", () => {
  expect([...needs, ...OUTAGE_CALLS, ...VENDOR_CALLS].filter((need) => !isAllowed(roles, need))).toEqual([]);
});

test("every pair of an action and a resource is needed by a call", () => {
  expect(idleGrants(roles, [...needs, ...OUTAGE_CALLS, ...VENDOR_CALLS])).toEqual([]);
  const byVendor = idleGrants(roles, [...needs, ...OUTAGE_CALLS]);
  // Each entry of the table needs exactly one grant that no recorded call needs.
  expect(byVendor).toHaveLength(VENDOR_CALLS.length);
  console.log(
    `${grantsOf(roles).length} grants for ${calls.length} calls, ${byVendor.length} for calls that the vendor makes inside`,
  );
});

test("a pair that no call needs is found", () => {
  const extra = {
    Effect: "Allow" as const,
    Action: ["oss:GetObject", "oss:DeleteObject"],
    Resource: ["acs:oss:*:3333333333333333:ram-pull-source/in/*"],
  };
  const more = roles.map((role) =>
    role.roleName === "crossborderbridge-pull-sender"
      ? { ...role, document: { ...role.document, Statement: [...role.document.Statement, extra] } }
      : role,
  );
  const idle = idleGrants(more, [...needs, ...OUTAGE_CALLS, ...VENDOR_CALLS]);
  const last = more.find(({ roleName }) => roleName === "crossborderbridge-pull-sender")?.document.Statement.length ?? 0;
  // The read is idle in both statements, because each allows it without the other.
  expect(idle.map(({ statement, action }) => [statement, action])).toEqual([
    [0, "oss:GetObject"],
    [last - 1, "oss:GetObject"],
    [last - 1, "oss:DeleteObject"],
  ]);
});

/** The permission that a call of a role needs. Empty for other callers. */
function needOf({ principal, action, resource }: CallRecord): Need[] {
  const [, roleName] = /^acs:ram::\d+:assumed-role\/([^/]+)\//.exec(principal?.arn ?? "") ?? [];
  return roleName === undefined ? [] : [{ roleName, action, resource }];
}

const unique = (all: readonly Need[]): Need[] => [...new Map(all.map((need) => [JSON.stringify(need), need])).values()];
