/** The versions of the tools. scripts/prerequisites.js reads the same file on any Node.js. Not `versions.json`: Node.js takes that before `versions.ts`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Versions {
  /** Installed into `.local/tools`. The version of Pulumi is the newest whose sources the Go module proxy serves whole. */
  ministack: string;
  pulumi: string;
  /** The oldest ones that are used where they are installed already. */
  oldestPulumi: string;
  oldestPython: string;
  oldestGo: string;
  /** The names under which a Python is looked for. */
  pythons: string[];
}

export const VERSIONS = JSON.parse(readFileSync(join(__dirname, "tool-versions.json"), "utf8")) as Versions;
