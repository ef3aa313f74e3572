import { logFailure, readEvent } from "../../../runtime/platforms/handlers";
import { recordingLogger } from "../support/recording-logger";

test.each([
  ['{"a":1}', { a: 1 }],
  [{ a: 1 }, { a: 1 }],
  [undefined, undefined],
])("the event %j is read as %j", (event, value) => {
  expect(readEvent(event, "the event")).toEqual(value);
});

test("text that is not JSON is refused, and the error does not quote it", () => {
  expect(() => readEvent("{very-secret", "the workflow's state")).toThrow(/^the workflow's state is not JSON$/);
});

test("a failure is logged and rethrown; a result is returned without a log line", async () => {
  const logger = recordingLogger();
  expect(await logFailure(logger, "the step failed", async () => 7)).toBe(7);
  expect(logger.lines).toEqual([]);
  const error = new Error("broken");
  await expect(
    logFailure(logger, "the step failed", async () => {
      throw error;
    }),
  ).rejects.toBe(error);
  expect(logger.lines).toEqual([{ level: "error", message: "the step failed", fields: { error } }]);
});
