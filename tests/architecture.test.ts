/** Rules of the tree: which file may import which, and which globals it may use. Each rule has an example that breaks it. */
import { join } from "node:path";
import { cycles, type Module, modulesOf, readModules } from "./support/module-graph";

const ROOT = join(__dirname, "..");
const PROGRAM = [
  "index.ts",
  "components",
  "runtime",
  "operator",
  "cost",
  "verify-live",
  "local",
  "packages",
  "scripts",
  "bench",
  "web",
];
const MAX_LINES = 400;
/** Written by a script from the schema, so its length is not a choice. */
const GENERATED: ReadonlySet<string> = new Set(["components/config/settings.ts"]);
const MAX_FUNCTION_LINES = 60;
const MAX_PARAMETERS = 4;
const SMALL_FILE_LINES = 40;
/** Small files with one importer, each with the reason why it stands alone. */
const SMALL_FILES: Readonly<Record<string, string>> = {
  "components/stack.ts": "index.ts holds no logic, so what it needs beside the component stands here",
  "operator/backfill/command.ts":
    "declares the command; its engines are loaded when it runs, not for the help of another command",
  "runtime/roles/pusher/watched-store.ts": "a wrapper of any store; the pusher's file is at its limit",
  "runtime/protocol/retry-after.ts": "one header that the receiver and the stores send",
  "runtime/platforms/aws-lambda/alarm-event.ts": "as http.ts: a test imports the form of alarms from here",
  "runtime/platforms/aws-lambda/http.ts":
    "an entry runs when it is imported, so a test imports the form of HTTP events from here",
};

/** A layer imports only lower layers. Layers of one rank do not import each other. */
const LAYERS: readonly (readonly string[])[] = [
  ["protocol"],
  ["http"],
  ["stores"],
  ["replication"],
  ["roles/sender", "roles/receiver", "roles/copier", "roles/dispatcher", "roles/pusher", "roles/prober", "roles/notifier"],
  ["platforms"],
];
/** The clock and the random source that platforms pass in are created here. */
const PORTS = "runtime/protocol/ports.ts";

interface Rule {
  name: string;
  /** One line for each breach. */
  breaches(modules: readonly Module[]): string[];
  /** Files that break it. */
  counterExample: Record<string, string>;
}

const inside = (folder: string) => (path: string) => path.startsWith(`${folder}/`);
const inComponents = inside("components");
const inRuntime = inside("runtime");
const inPlatforms = inside("runtime/platforms");
const inCli = inside("operator");
const inCost = inside("cost");
const inBench = inside("bench");
const inVerifyLive = inside("verify-live");
const inEmulator = inside("packages/local-alicloud");
/** Neither a path nor a file of this repository. */
const isPackage = (to: string) => !to.startsWith(".") && !/\.tsx?$/.test(to) && to !== "crossborderbridge";
/** The page and its overview show what the commands do, so they are none. */
const commandOf = (path: string): string | undefined => /^operator\/(?!clouds\/|overview\/|watch\/)([\w-]+)\//.exec(path)?.[1];

const imports = (modules: readonly Module[], from: (path: string) => boolean, allowed: (module: Module, to: string) => boolean) =>
  modules
    .filter(({ path }) => from(path))
    .flatMap((module) =>
      module.imports
        .map(({ target, specifier }) => target ?? specifier)
        .filter((to) => !allowed(module, to))
        .map((to) => `${module.path} imports ${to}`),
    );

const globals = (modules: readonly Module[], from: (path: string) => boolean, forbidden: RegExp) =>
  modules
    .filter(({ path }) => from(path))
    .flatMap((module) => module.globals.filter((name) => forbidden.test(name)).map((name) => `${module.path} uses ${name}`));

const layerOf = (path: string): { rank: number; folder: string } | undefined => {
  const [, layer = "", role = ""] = path.split("/");
  const folder = layer === "roles" ? `roles/${role}` : layer;
  const rank = LAYERS.findIndex((folders) => folders.includes(folder));
  return inRuntime(path) && rank >= 0 ? { rank, folder } : undefined;
};

const inLayers = (path: string) => inComponents(path) || inRuntime(path) || inCli(path);
const inSteps = (path: string) => inside("runtime/roles")(path) || inside("runtime/replication")(path);

const functionsOf = (modules: readonly Module[], isBreach: (one: Module["functions"][number]) => boolean) =>
  modules
    .filter(({ path }) => inSteps(path))
    .flatMap(({ path, functions }) =>
      functions
        .filter(isBreach)
        .map(({ name, lines, parameters }) => `${path}: ${name} has ${lines} lines and ${parameters} parameters`),
    );

/** Small files with one importer. Tests do not count as importers. */
function smallFiles(modules: readonly Module[]): string[] {
  const importers = new Map<string, Set<string>>();
  for (const { path, imports: all } of modules) {
    if (path.startsWith("tests/")) continue;
    for (const { target } of all) if (target !== undefined) importers.set(target, (importers.get(target) ?? new Set()).add(path));
  }
  return modules.flatMap(({ path, lines }) => {
    const [importer, ...others] = importers.get(path) ?? [];
    if (!inLayers(path) || lines > SMALL_FILE_LINES || importer === undefined || others.length > 0) return [];
    return path in SMALL_FILES ? [] : [`${path} has ${lines} lines, and only ${importer} imports it: merge it`];
  });
}

const RULES: Rule[] = [
  {
    name: "index.ts composes components and decides nothing",
    breaches: (modules) => [
      ...imports(
        modules,
        (path) => path === "index.ts",
        (_, to) => to === "@pulumi/pulumi" || inComponents(to),
      ),
      ...modules.flatMap(({ path, logic }) => (path === "index.ts" ? logic.map((word) => `index.ts has ${word}`) : [])),
    ],
    counterExample: { "index.ts": "export const stack = process.argv.length > 2 ? 1 : 2;" },
  },
  {
    name: "components import only Pulumi, zod, the protocol, the cost model, and the file system to find the bundles",
    breaches: (modules) =>
      imports(modules, inComponents, ({ path }, to) => {
        if (to === "node:fs" || to === "node:path") return path === "components/bundles.ts";
        const others = ["zod", "node:crypto", "cost/summary.ts"];
        return /^@pulumi\//.test(to) || others.includes(to) || inComponents(to) || inside("runtime/protocol")(to);
      }),
    counterExample: { "components/aws/bucket.ts": 'import { S3Client } from "@aws-sdk/client-s3";' },
  },
  {
    name: "the runtime knows no Pulumi, no component and no local cloud",
    breaches: (modules) =>
      imports(
        modules,
        inRuntime,
        (_, to) => !to.startsWith("@pulumi/") && !/^(components|local|scripts|tests)\//.test(to) && to !== "index.ts",
      ),
    counterExample: { "runtime/roles/sender/sender.ts": 'import type * as pulumi from "@pulumi/pulumi";' },
  },
  {
    name: "deployed code does not import the local cloud, the scripts or the tests, and the functions not the cost model",
    breaches: (modules) =>
      imports(
        modules,
        (path) => path === "index.ts" || inComponents(path) || inRuntime(path),
        ({ path }, to) => !/^(local|scripts|tests)\//.test(to) && (inComponents(path) || !inCost(to)),
      ),
    counterExample: {
      "components/stack.ts": 'import { REPOSITORY_ROOT } from "../local/paths";',
      "local/paths.ts": "export const REPOSITORY_ROOT = 1;",
    },
  },
  {
    name: "the runtime's layers: protocol <- stores <- replication <- roles <- platforms",
    breaches: (modules) => [
      ...modules.flatMap(({ path }) => (inRuntime(path) && layerOf(path) === undefined ? [`${path} is in no layer`] : [])),
      ...imports(modules, inRuntime, ({ path }, to) => {
        const [from, target] = [layerOf(path), layerOf(to)];
        if (from === undefined || target === undefined) return true;
        return target.rank < from.rank || target.folder === from.folder;
      }),
    ],
    counterExample: {
      "runtime/roles/sender/sender.ts": 'import { createReceiver } from "../receiver/receiver";',
      "runtime/roles/receiver/receiver.ts": "export const createReceiver = 1;",
    },
  },
  {
    name: "the data path knows no SDK of a cloud",
    breaches: (modules) =>
      imports(
        modules,
        (path) => inRuntime(path) && !inPlatforms(path),
        (_, to) => !/^(@aws-sdk\/|@aws-crypto\/|@smithy\/|@alicloud\/|ali-oss)/.test(to),
      ),
    counterExample: { "runtime/stores/s3/client.ts": 'import { S3Client } from "@aws-sdk/client-s3";' },
  },
  {
    name: "the operator's command and verify-live import only the configuration's rules, the runtime and Pulumi's automation",
    breaches: (modules) =>
      imports(
        modules,
        (path) => inCli(path) || inVerifyLive(path),
        (_, to) =>
          !/^@pulumi\/(?!pulumi\/automation(\/index\.js)?$)/.test(to) &&
          !/^(local|scripts|tests)\//.test(to) &&
          (!inComponents(to) || /^components\/config(\.ts$|\/)/.test(to)) &&
          to !== "index.ts",
      ),
    counterExample: { "operator/open-bridge.ts": 'import * as aws from "@pulumi/aws";' },
  },
  {
    name: "the cost model is pure: beside its own files it imports types of the configuration",
    breaches: (modules) => [
      ...modules
        .filter(({ path }) => inCost(path))
        .flatMap(({ path, imports: all }) =>
          all
            .filter(({ target, specifier, typeOnly }) => {
              const to = target ?? specifier;
              return !inCost(to) && !(typeOnly && /^components\/config(\.ts$|\/)/.test(to));
            })
            .map(({ specifier }) => `${path} imports ${specifier}`),
        ),
      ...globals(modules, inCost, /^(process\.|Date\.now|new Date\(\)|Math\.random|console\.)/),
    ],
    counterExample: {
      "cost/model.ts": 'import { parseBridgeConfig } from "../components/config";',
      "components/config/index.ts": "export const parseBridgeConfig = 1;",
    },
  },
  {
    name: "a command imports no other command",
    breaches: (modules) =>
      imports(
        modules,
        (path) => commandOf(path) !== undefined,
        ({ path }, to) => commandOf(to) === undefined || commandOf(to) === commandOf(path),
      ),
    counterExample: {
      "operator/status/read-status.ts": 'import { scopes } from "../backfill/scopes";',
      "operator/backfill/scopes.ts": "export const scopes = 1;",
    },
  },
  {
    name: "nothing but verify-live imports the operator's command, and `npm start` shares its handling of Ctrl-C and its page",
    breaches: (modules) =>
      imports(
        modules,
        (path) => !/^(operator|tests|bench|verify-live|web)\//.test(path),
        ({ path }, to) =>
          !inCli(to) ||
          (path === "local/cli/interrupt.ts" && to === "operator/interrupt.ts") ||
          ["local/cli/page.ts", "scripts/write-page-pictures.ts"].includes(path) ||
          // The page's guard of a request, and its quoting of a shell's word.
          (path === "local/cli/redeploy.ts" && to === "operator/watch/guard.ts") ||
          (path === "local/cli/ready.ts" && to === "operator/overview/remedies.ts"),
      ),
    counterExample: {
      "local/cli/start.ts": 'import { runProgram } from "../../operator/run-program";',
      "operator/run-program.ts": "export const runProgram = 1;",
    },
  },
  {
    name: "only the judges import the benchmark, and only tests and scripts import verify-live",
    breaches: (modules) =>
      imports(
        modules,
        (path) => !inBench(path) && !inVerifyLive(path) && !/^tests\/(?:bench|judges)\//.test(path),
        ({ path }, to) => !inBench(to) && (!inVerifyLive(to) || /^(tests|scripts)\//.test(path)),
      ),
    counterExample: {
      "local/local-stack.ts": 'import { WORKLOADS } from "../bench/workloads";',
      "bench/workloads.ts": "export const WORKLOADS = [];",
    },
  },
  {
    name: "only platforms read the environment",
    breaches: (modules) =>
      globals(modules, (path) => (inRuntime(path) && !inPlatforms(path)) || inComponents(path), /^process\./),
    counterExample: { "runtime/stores/s3/client.ts": "export const region = process.env.AWS_REGION;" },
  },
  {
    name: "clock, random source and logger are passed in",
    breaches: (modules) =>
      globals(
        modules,
        (path) => inRuntime(path) && !inPlatforms(path) && path !== PORTS,
        /^(Date\.now|new Date\(\)|Math\.random|console\..*)$/,
      ),
    counterExample: { "runtime/replication/lease.ts": "export const now = () => Date.now();" },
  },
  {
    name: `no file has more than ${MAX_LINES} lines`,
    breaches: (modules) =>
      modules.flatMap(({ path, lines }) => (lines > MAX_LINES && !GENERATED.has(path) ? [`${path} has ${lines} lines`] : [])),
    counterExample: { "tests/long.test.ts": "\n".repeat(MAX_LINES + 1).concat("export {};") },
  },
  {
    name: "local-alicloud and its tests import nothing else of this repository",
    breaches: (modules) => imports(modules, inEmulator, (_, to) => inEmulator(to) || isPackage(to)),
    counterExample: {
      "packages/local-alicloud/src/oss/store.ts": 'import { Crc64 } from "../../../../runtime/stores/crc64";',
      "runtime/stores/crc64.ts": "export const Crc64 = 1;",
    },
  },
  {
    name: "other code imports local-alicloud only by its public entry",
    breaches: (modules) =>
      imports(
        modules,
        (path) => !inEmulator(path),
        (_, to) => !inEmulator(to) && !to.startsWith("local-alicloud/"),
      ),
    counterExample: {
      "local/local-clouds.ts": 'import { createRam } from "../packages/local-alicloud/src/ram/ram";',
      "packages/local-alicloud/src/ram/ram.ts": "export const createRam = 1;",
    },
  },
  {
    name: "deployed code and the operator's command do not import local-alicloud",
    breaches: (modules) =>
      imports(
        modules,
        (path) => path === "index.ts" || inComponents(path) || inRuntime(path) || inCli(path) || inVerifyLive(path),
        (_, to) => to !== "local-alicloud",
      ),
    counterExample: { "operator/open-bridge.ts": 'import { startLocalAlicloud } from "local-alicloud";' },
  },
  {
    name: "no partition is written down",
    breaches: (modules) =>
      modules.flatMap(({ path, text }) =>
        (path === "index.ts" || inComponents(path) || inRuntime(path)) && /arn:aws:/.test(text)
          ? [`${path} holds "arn:${"aws"}:"`]
          : [],
      ),
    counterExample: { "components/aws/policies.ts": 'export const policy = "arn:aws:iam::aws:policy/ReadOnlyAccess";' },
  },
  {
    name: "no import cycle; an import of a type counts",
    breaches: cycles,
    counterExample: {
      "runtime/protocol/ports.ts": 'import type { Look } from "./look"; export type Port = Look;',
      "runtime/protocol/look.ts": 'import { type Port } from "./ports"; export type Look = Port;',
    },
  },
  {
    name: `no function of a role or of replication has more than ${MAX_FUNCTION_LINES} lines`,
    breaches: (modules) => functionsOf(modules, ({ lines }) => lines > MAX_FUNCTION_LINES),
    counterExample: {
      "runtime/roles/sender/sender.ts": `export class Sender { handle() {${"\n".repeat(MAX_FUNCTION_LINES)}} }`,
    },
  },
  {
    name: `no function of a role or of replication has more than ${MAX_PARAMETERS} positional parameters`,
    breaches: (modules) => functionsOf(modules, ({ parameters }) => parameters > MAX_PARAMETERS),
    counterExample: {
      "runtime/replication/copy.ts": "export const copy = (a: 1, b: 2, c: 3, d: 4, { e }: { e: 5 }) => [a, b, c, d, e];",
    },
  },
  {
    name: `a file of at most ${SMALL_FILE_LINES} lines has more than one importer, or a reason to stand alone`,
    breaches: smallFiles,
    counterExample: {
      "operator/command.ts": 'import { half } from "./half"; export const one = half + half;',
      "operator/half.ts": "export const half = 0.5;",
      "tests/half.test.ts": 'import { half } from "../operator/half"; export const one = half;',
    },
  },
];

const program = readModules(ROOT, [...PROGRAM, "tests"]);

test("every file of the program is read, and every relative import leads to a file", () => {
  expect(program.length).toBeGreaterThan(200);
  const unresolved = program.flatMap(({ path, imports: all }) =>
    all
      .filter(({ specifier, target }) => specifier.startsWith(".") && target === undefined)
      .map(({ specifier }) => `${path} imports ${specifier}`),
  );
  expect(unresolved.filter((line) => !line.endsWith(".css"))).toEqual([]);
});

describe.each(RULES)("$name", ({ breaches, counterExample }) => {
  test("holds", () => {
    expect(breaches(program)).toEqual([]);
  });

  test("can fail", () => {
    expect(breaches(modulesOf(counterExample))).not.toEqual([]);
  });
});

test("every small file that may stand alone exists and still needs its exception", () => {
  const needed = Object.keys(SMALL_FILES).filter((path) => {
    const readers = program.filter(
      ({ path: from, imports: all }) => !from.startsWith("tests/") && all.some(({ target }) => target === path),
    );
    return (
      readers.length === 1 &&
      (program.find((module) => module.path === path)?.lines ?? Number.POSITIVE_INFINITY) <= SMALL_FILE_LINES
    );
  });
  expect(Object.keys(SMALL_FILES)).toEqual(needed);
});
