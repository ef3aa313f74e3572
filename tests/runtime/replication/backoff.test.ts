import { createBackoff, withRetries } from "../../../runtime/replication/backoff";

const policy = (random: number) => createBackoff({ receiverTimeoutSeconds: 29, random: () => random });

test.each([
  [1, 1, 2],
  [2, 2, 4],
  [3, 4, 8],
  [5, 16, 32],
  [9, 256, 512],
  [10, 450, 900],
  [50, 450, 900],
])("attempt %s waits %s to %s s", (attempt, least, most) => {
  expect(policy(0)(attempt, false)).toBe(least);
  expect(policy(0.999_999)(attempt, false)).toBe(most);
});

test("whole seconds, as queues take them", () => {
  for (let attempt = 1; attempt < 12; attempt++) expect(policy(0.37)(attempt, false) % 1).toBe(0);
});

test("while an attempt may be running: never before its hard end plus the platform's margin", () => {
  expect(policy(0)(1, true)).toBe(34);
  expect(policy(0)(10, true)).toBe(450);
});

describe("withRetries", () => {
  /** Fails `failures` times; retries are allowed up to `attempts`. */
  async function run(failures: number, attempts: number) {
    const waits: number[] = [];
    let calls = 0;
    const work = async () => {
      calls += 1;
      if (calls <= failures) throw new Error(`failure ${calls}`);
      return "done";
    };
    const mayRetry = (_error: unknown, { attempt, waitMs }: { attempt: number; waitMs: number }) =>
      attempt < attempts && waitMs > 0;
    const options = {
      firstWaitMs: 200,
      longestWaitMs: 700,
      random: () => 0.5,
      sleep: async (ms: number) => void waits.push(ms),
      mayRetry,
    };
    const result = await withRetries(work, options).catch((error: Error) => error.message);
    return { result, waits };
  }

  test.each([
    [0, 5, { result: "done", waits: [] }],
    [3, 5, { result: "done", waits: [150, 300, 525] }],
    [9, 3, { result: "failure 3", waits: [150, 300] }],
  ])("%s failures, at most %s attempts: %j", async (failures, attempts, expected) => {
    expect(await run(failures, attempts)).toEqual(expected);
  });
});
