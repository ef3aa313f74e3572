import { createCopierHandler } from "../../../runtime/platforms/copier-handler";
import { recordingLogger } from "../support/recording-logger";

const context = { remainingMs: () => 12_345 };

const job = {
  execution: "x1",
  key: "copies/a",
  sourceKey: "a",
  url: "https://source.example.com/a",
  snapshot: { etag: "e", sizeBytes: 1, lastModified: "2026-03-01T00:00:00Z", headers: {}, metadata: {}, tags: {} },
};

test("runs the job of the event", async () => {
  const logger = recordingLogger();
  const handler = createCopierHandler(
    {
      run: async (received, { remainingMs }) => {
        expect([received, remainingMs()]).toEqual([job, 12_345]);
        return { result: "not-mine" };
      },
    },
    logger,
  );
  expect(await handler(job, context)).toEqual({ result: "not-mine" });
  expect(await handler(JSON.stringify(job), context)).toEqual({ result: "not-mine" });
  expect(logger.lines).toEqual([]);
});

test.each([
  ["an event that is no job", { ...job, key: "" }],
  ["text that is no JSON", "{"],
  ["a copier that fails", job],
])("%s is logged and answered, never thrown", async (_name, event) => {
  const logger = recordingLogger();
  const handler = createCopierHandler(
    {
      run: async () => {
        throw new Error("broken");
      },
    },
    logger,
  );
  expect(await handler(event, context)).toEqual({ result: "failed" });
  expect(logger.lines).toMatchObject([{ level: "error", message: "the copier failed" }]);
});
