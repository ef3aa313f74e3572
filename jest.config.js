/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
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
  // A process for each file: AsyncLocalStorages of old modules stay behind in a worker, and every one of them makes every later promise
  // slower. The simulations take 40 s in a process of their own, and took up to ten minutes in one that had run others before.
  workerIdleMemoryLimit: 0,
  // A busy machine is no failure; what hangs still ends.
  testTimeout: 180_000,
};
