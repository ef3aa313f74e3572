/** Runs a program of the checkout in this process, as `node --import tsx <program>` does: a process between npm and the program would swallow signals. */
const { join } = require("node:path");

const PROGRAMS = {
  start: "local/cli/start.ts",
  preview: "local/cli/preview.ts",
  bridge: "operator/main.ts",
  test: "node_modules/jest/bin/jest.js",
};

async function launch(command, args) {
  const program = join(__dirname, "..", PROGRAMS[command]);
  if (program.endsWith(".ts")) await import("tsx");
  process.argv.splice(1, process.argv.length, program, ...args);
  require(program);
}

module.exports = { launch };
