/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "<rootDir>/tests/support/environment.js",
  runtime: "<rootDir>/tests/support/runtime.js",
  roots: ["<rootDir>/tests", "<rootDir>/packages"],
  testMatch: ["**/*.test.ts"],
  moduleNameMapper: { "^local-alicloud$": "<rootDir>/packages/local-alicloud/src/index.ts" },
  transform: {
    "^.+\\.[cm]?[jt]s$": [
      "@swc/jest",
      { jsc: { target: "es2022", parser: { syntax: "typescript" } }, module: { type: "commonjs" } },
    ],
  },
  // ESM-only packages that the code under test imports.
  transformIgnorePatterns: ["/node_modules/(?!(p-limit|yocto-queue)/)"],
  setupFiles: ["<rootDir>/tests/support/fixed-seed.ts"],
  globalSetup: "<rootDir>/tests/support/global-setup.ts",
  reporters: ["default", "<rootDir>/tests/support/closing-line.js"],
  maxWorkers: 2,
  // A worker that holds more than this begins anew after the file that it is at.
  workerIdleMemoryLimit: "1200MB",
  // A busy machine is no failure; what hangs still ends.
  testTimeout: 180_000,
};
