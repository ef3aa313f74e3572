/** Prints the last line of a run: `N passed, N failed[, N skipped]`. */
module.exports = class ClosingLine {
  onRunComplete(_contexts, results) {
    // A file that cannot even be loaded has no tests to count; it is a failure all the same.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    // After every other reporter, whatever their order.
    process.once("exit", () => {
      process.stdout.write(`\n${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
    });
  }
};
