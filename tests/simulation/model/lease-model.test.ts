/** An exhaustive search shows which parts of the lease the protocol needs. */
import { leaseModel } from "./lease-model";
import type { LeaseOptions } from "./lease-state";
import { describeFinding, search } from "./search";

/** `MODEL_LEASE_WRITES=3 npm test -- model` searches further. */
const WRITES = Number(process.env.MODEL_LEASE_WRITES ?? 2);
const CRASHES = Number(process.env.MODEL_LEASE_CRASHES ?? 1);

const protocol: LeaseOptions = {
  writes: WRITES,
  crashes: CRASHES,
  conditionalWrites: true,
  leaseFirst: true,
  respectLease: true,
  leaseOutlastsCopier: true,
  fenceUpload: true,
  stopMark: true,
  checkSource: true,
  leaseReadBy: "asked",
  marksRedelivered: true,
};

/** For faults that show without a crash. */
const small: Partial<LeaseOptions> = { writes: 2, crashes: 0, conditionalWrites: false };

function look(what: string, broken: Partial<LeaseOptions>) {
  const finding = search(leaseModel({ ...protocol, ...broken }));
  process.stdout.write(`${what}: ${describeFinding(finding)}\n`);
  return finding;
}

test.each<[string, Partial<LeaseOptions>]>([
  ["conditional writes", {}],
  ["plain writes", { conditionalWrites: false }],
  ["every attempt reads the lease, conditional writes", { leaseReadBy: "every" }],
  ["every attempt reads the lease, plain writes", { leaseReadBy: "every", conditionalWrites: false }],
  ["no stop mark, which only saves time", { ...small, stopMark: false }],
  ["no check of the source, which only hides outdated objects", { ...small, checkSource: false }],
  ["no aborted uploads, which matter only when a lease ends early", { ...small, fenceUpload: false }],
])("%s: it always converges", (what, options) => {
  const finding = look(what, options);
  expect(finding.counterexample).toBeUndefined();
  expect(finding.stuck).toBe(0);
});

test.each<[string, Partial<LeaseOptions>]>([
  ["the destination read before the lease, conditional writes", { crashes: 0, leaseFirst: false }],
  ["the destination read before the lease, plain writes", { ...small, leaseFirst: false }],
  ["small objects that never read the lease, conditional writes", { leaseReadBy: "none" }],
  ["small objects that never read the lease, plain writes", { ...small, leaseReadBy: "none" }],
  ["a message delivered again that counts as fresh, conditional writes", { marksRedelivered: false }],
  ["a message delivered again that counts as fresh, plain writes", { conditionalWrites: false, marksRedelivered: false }],
  ["live leases ignored, uploads left open", { ...small, respectLease: false, fenceUpload: false }],
  [
    "leases that end before their copier, uploads left open",
    { ...small, crashes: 1, leaseOutlastsCopier: false, fenceUpload: false },
  ],
])("%s: stale objects stay", (what, options) => {
  expect(look(what, options).counterexample?.fault).toMatch(/^everything is acknowledged/);
});
