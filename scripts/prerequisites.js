/**
 * Names everything that a command of this checkout needs and does not find, before any work. It runs on every Node.js since version 8, so that an old one is
 * named as well: no newer syntax, and no package.
 */
// biome-ignore-start lint/style/useNodejsImportProtocol: Node.js before 14.18 does not know it
const { spawnSync } = require("child_process");
const fs = require("fs");
const https = require("https");
const path = require("path");
// biome-ignore-end lint/style/useNodejsImportProtocol: as above

const ROOT = path.join(__dirname, "..");
const TOOLS = path.join(ROOT, ".local", "tools");
const VERSIONS = JSON.parse(fs.readFileSync(path.join(ROOT, "local", "toolchain", "tool-versions.json"), "utf8"));
const INSTALLER = "https://get.pulumi.com/install.sh";
const REACHABLE_DEADLINE_MS = 10000;
/** A run with all its objects in memory writes about 100 MiB. The tools take 500 MiB more. */
const RUN_BYTES = 200 * 1024 * 1024;
const TOOLS_BYTES = 700 * 1024 * 1024;

/** Whether the first version is at least the second. Both are dotted numbers. */
function isAtLeast(version, oldest) {
  const [have, need] = [version, oldest].map((text) => text.split(".").map(Number));
  for (let at = 0; at < need.length; at++) if ((have[at] || 0) !== need[at]) return (have[at] || 0) > need[at];
  return true;
}

function nodeProblem() {
  const { engines } = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8"));
  const oldest = engines.node.replace(/^>=/, "");
  const version = process.versions.node;
  if (isAtLeast(version, oldest)) return undefined;
  return `Node.js ${oldest} or newer: this is ${version} (${process.execPath}). Install it (https://nodejs.org/en/download, or: nvm install 22), then run: npm ci`;
}

function packagesProblem() {
  const isThere = fs.existsSync(path.join(ROOT, "node_modules", "tsx", "package.json"));
  return isThere ? undefined : "the packages of npm: node_modules is not there. Run: npm ci";
}

/** Where a shell would find the program; undefined if nowhere. */
function onPath(name) {
  const folders = (process.env.PATH || "").split(path.delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => path.join(folder, name)).find(canRun);
}

function canRun(file) {
  try {
    fs.accessSync(fs.realpathSync(file), fs.constants.X_OK);
    return true;
  } catch (_error) {
    return false;
  }
}

const INSTALL_PYTHON = `Debian and Ubuntu: apt install python${VERSIONS.oldestPython} python${VERSIONS.oldestPython}-venv; macOS: brew install python; others: https://www.python.org/downloads/`;

/** The local AWS runs in a virtual environment of Python. */
function pythonProblem() {
  if (canRun(path.join(TOOLS, `ministack-${VERSIONS.ministack}`, "bin", "python"))) return undefined;
  const found = [];
  for (const name of VERSIONS.pythons) {
    const program = "import sys; print('%d.%d' % sys.version_info[:2]); sys.stdout.flush(); import venv, ensurepip";
    const { error, status, stdout } = spawnSync(name, ["-c", program], { encoding: "utf8" });
    const version = error ? "" : stdout.trim();
    if (!/^\d+\.\d+$/.test(version)) continue;
    const isNew = isAtLeast(version, VERSIONS.oldestPython);
    if (isNew && status === 0) return undefined;
    found.push(isNew ? `${name} is ${version} without its modules venv and ensurepip` : `${name} is ${version}`);
  }
  const why = found.length === 0 ? `none of ${VERSIONS.pythons.join(", ")} is on the PATH` : found.join(", ");
  return `Python ${VERSIONS.oldestPython} or newer with venv and pip, for the local AWS: ${why}. Install it (${INSTALL_PYTHON})`;
}

function hasPulumi(isBuilt) {
  if (canRun(path.join(TOOLS, `pulumi-${VERSIONS.pulumi}`, "bin", "pulumi"))) return true;
  const pulumi = isBuilt ? undefined : onPath("pulumi");
  if (pulumi === undefined || !canRun(path.join(path.dirname(pulumi), "pulumi-language-nodejs"))) return false;
  const env = Object.assign({}, process.env, { PULUMI_SKIP_UPDATE_CHECK: "true" });
  const { stdout } = spawnSync(pulumi, ["version"], { encoding: "utf8", env });
  const version = (stdout || "").trim().replace(/^v/, "");
  return version.split(".")[0] === VERSIONS.oldestPulumi.split(".")[0] && isAtLeast(version, VERSIONS.oldestPulumi);
}

/** Why Go cannot build the Pulumi CLI. Since 1.21 Go fetches the version that a module asks for, unless it is told not to. */
function goProblem() {
  const go = onPath("go");
  if (go === undefined) return "there is no Go on the PATH";
  const version = (/\bgo(\d+\.\d+)/.exec(spawnSync(go, ["version"], { encoding: "utf8" }).stdout || "") || [])[1];
  if (version === undefined) return `${go} does not tell its version`;
  if (isAtLeast(version, VERSIONS.oldestGo)) return undefined;
  const toolchain = spawnSync(go, ["env", "GOTOOLCHAIN"], { encoding: "utf8" }).stdout || "";
  return isAtLeast(version, "1.21") && /auto|path/.test(toolchain) ? undefined : `${go} is ${version}`;
}

/** Calls back with the problem, or undefined. Where Go is there the CLI can be had; else only its download is asked for. */
function pulumiProblem(done) {
  const isBuilt = process.env.CROSSBORDERBRIDGE_PULUMI === "build";
  const noGo = hasPulumi(isBuilt) ? undefined : goProblem();
  if (noGo === undefined) return done(undefined);
  const name = (why) =>
    `the Pulumi CLI, or Go ${VERSIONS.oldestGo} to build it: ${noGo}, and the CLI ${why}. Install one of them (https://www.pulumi.com/docs/iac/download-install/, https://go.dev/dl/)`;
  if (isBuilt) return done(name("is to be built, as CROSSBORDERBRIDGE_PULUMI says"));
  whyUnreachable(INSTALLER, (why) => done(why && name(`is not on the PATH and cannot be downloaded (${INSTALLER}: ${why})`)));
}

function whyUnreachable(url, done) {
  let isDone = false;
  const end = (why) => {
    if (!isDone) done(why);
    isDone = true;
  };
  const request = https.request(url, { method: "HEAD" }, (answer) => {
    answer.resume();
    end(answer.statusCode < 400 ? undefined : `status ${answer.statusCode}`);
    request.abort();
  });
  // Packets that are dropped on the way give no error.
  const timer = setTimeout(() => {
    end(`no answer within ${REACHABLE_DEADLINE_MS / 1000} s`);
    request.abort();
  }, REACHABLE_DEADLINE_MS);
  request.on("error", (error) => end(error.message));
  request.on("close", () => clearTimeout(timer));
  request.end();
}

const mebibytes = (bytes) => `${Math.floor(bytes / 1024 / 1024)} MiB`;

/** A command writes into `.local` and `dist`. */
function folderProblem() {
  for (const name of [".local", "dist"]) {
    const folder = path.join(ROOT, name);
    const probe = path.join(folder, `.probe-${process.pid}`);
    try {
      if (!fs.existsSync(folder)) fs.mkdirSync(folder);
      fs.writeFileSync(probe, "x");
      fs.unlinkSync(probe);
    } catch (error) {
      if (error.code === "ENOSPC") return `room on the disk: ${folder} is full. Make room there`;
      return `a folder that can be written: ${folder} cannot (${error.code}). Change its owner or rights, or copy the checkout elsewhere`;
    }
  }
  return roomProblem();
}

function roomProblem() {
  // Node.js 18.15 has it.
  if (fs.statfsSync === undefined) return undefined;
  const folder = path.join(ROOT, ".local");
  const { bavail, bsize } = fs.statfsSync(folder);
  const hasTools = hasPulumi(false) && fs.existsSync(path.join(TOOLS, `ministack-${VERSIONS.ministack}`));
  const needed = hasTools ? RUN_BYTES : RUN_BYTES + TOOLS_BYTES;
  if (bavail * bsize >= needed) return undefined;
  return `room on the disk: ${folder} has ${mebibytes(bavail * bsize)} left, and ${mebibytes(needed)} are needed. Make room there`;
}

/** Whether a side of the stack is in AWS. True for a stack that does not exist: the command says so. */
function isInAws(stack) {
  const file = [ROOT, path.join(ROOT, "examples")].map((folder) => path.join(folder, `Pulumi.${stack}.yaml`)).find(fs.existsSync);
  return file === undefined || /\bcloud:\s*["']?aws/.test(fs.readFileSync(file, "utf8"));
}

function stackIn(args) {
  const at = args.indexOf("--stack");
  const joined = args.find((arg) => arg.indexOf("--stack=") === 0);
  if (joined !== undefined) return joined.slice("--stack=".length);
  return at >= 0 && args[at + 1] !== undefined ? args[at + 1] : "dev";
}

/** What each command needs beside Node.js and the packages. */
const NEEDS = {
  // A redeployment is done by the `npm start` that runs.
  start: (args) => (args.indexOf("--redeploy") >= 0 ? {} : { folder: true, pulumi: true, python: isInAws(stackIn(args)) }),
  preview: () => ({ folder: true, pulumi: true }),
  bridge: () => ({}),
  // A part of the tests may need none of them.
  test: (args) => (args.length > 0 ? {} : { folder: true, pulumi: true, python: true }),
};

/** Calls back with what is missing: a sentence each, with the way out. */
function findProblems(command, args, done) {
  const isHelp = args.some((arg) => ["--help", "-h", "--version", "-V"].indexOf(arg) >= 0);
  const needs = isHelp ? {} : NEEDS[command](args);
  const problems = [
    nodeProblem(),
    packagesProblem(),
    needs.python ? pythonProblem() : undefined,
    needs.folder ? folderProblem() : undefined,
  ];
  const end = (last) => done(problems.concat(last).filter((one) => one !== undefined));
  if (needs.pulumi) pulumiProblem(end);
  else end(undefined);
}

module.exports = { findProblems };
