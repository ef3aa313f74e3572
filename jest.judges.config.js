/** For `npm run test:judges`: suites and clients that nobody here wrote judge the local clouds. @type {import("jest").Config} */
module.exports = {
  ...require("./jest.config.js"),
  testMatch: ["<rootDir>/tests/judges/**/*.judge.ts"],
  globalSetup: null,
  globalTeardown: "<rootDir>/tests/judges/write-table.ts",
};
