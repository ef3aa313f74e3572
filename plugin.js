/**
 * The entry of the plugin, which Pulumi's language host loads as the package's `main`. Programs in TypeScript and JavaScript load `exports`. The npm package is
 * compiled. A checkout is built at the first start, because `pulumi package add` only clones it and installs its packages.
 */
const { execFileSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const entry = join(__dirname, "dist", "components", "plugin", "main.js");
// The engine reads a port from the standard output, and shows the standard error.
const npm = (...args) => execFileSync("npm", args, { cwd: __dirname, stdio: ["ignore", 2, 2] });

const parts = [
  { built: entry, script: "build:package" },
  { built: join(__dirname, "dist", "functions", "alicloud-fc", "pusher.zip"), script: "build:functions" },
].filter(({ built }) => !existsSync(built));
// A plugin may be installed without the development packages.
if (parts.length > 0 && !existsSync(join(__dirname, "node_modules", "tsx"))) npm("install", "--include=dev", "--no-save");
for (const { script } of parts) npm("run", "--silent", script);

require(entry)
  .servePlugin(process.argv.slice(2))
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
