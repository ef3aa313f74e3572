/** An exhaustive search shows that the protocol needs the re-read and the hard end. */
import { type InlineOptions, inlineModel } from "./inline-model";
import { describeFinding, search } from "./search";

/** `MODEL_WRITES=4 MODEL_CRASHES=2 npm test -- model` searches further. */
const WRITES = Number(process.env.MODEL_WRITES ?? 3);
const CRASHES = Number(process.env.MODEL_CRASHES ?? 2);

const protocol: InlineOptions = {
  writes: WRITES,
  deletes: true,
  crashes: CRASHES,
  conditionalWrites: true,
  reRead: true,
  hardEnd: true,
};

function look(what: string, broken: Partial<InlineOptions>) {
  const finding = search(inlineModel({ ...protocol, ...broken }));
  process.stdout.write(`${what}: ${describeFinding(finding)}\n`);
  return finding;
}

test.each([true, false])("conditional writes %s: the protocol always converges", (conditionalWrites) => {
  const finding = look(`conditional writes ${conditionalWrites}`, { conditionalWrites });
  expect(finding.counterexample).toBeUndefined();
  expect(finding.stuck).toBe(0);
});

/** Enough for the shortest trace to a stale object. */
const small: Partial<InlineOptions> = { writes: 2, crashes: 2 };

test.each<[string, Partial<InlineOptions>]>([
  ["without the re-read, conditional writes", { reRead: false }],
  ["without the re-read, plain writes", { reRead: false, conditionalWrites: false }],
  ["without the hard end, plain writes", { hardEnd: false, conditionalWrites: false }],
  ["without the hard end, conditional writes, deletes", { hardEnd: false }],
])("%s: stale objects stay", (what, broken) => {
  const finding = look(what, { ...small, ...broken });
  expect(finding.counterexample?.fault).toMatch(/^everything is acknowledged, the source is/);
});

test("without the hard end, conditional writes, no deletes: it still converges", () => {
  const finding = look("without the hard end, conditional writes, no deletes", { ...small, hardEnd: false, deletes: false });
  expect(finding.counterexample).toBeUndefined();
  expect(finding.stuck).toBe(0);
});
