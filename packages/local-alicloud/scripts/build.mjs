/** Compiles `src/` into `dist/`, with declarations, and copies what is not TypeScript. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

// A module that was renamed would still be packed under its old name.
rmSync(at("dist"), { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "-p", at("tsconfig.json")], { stdio: "inherit" });
for (const file of ["bootstrap.cjs", "custom-network.cjs"]) cpSync(at(`src/fc/${file}`), at(`dist/fc/${file}`));
chmodSync(at("dist/cli.js"), 0o755);
cpSync(at("../../LICENSE"), at("LICENSE"));
