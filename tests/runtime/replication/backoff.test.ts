import { createBackoff } from "../../../runtime/replication/backoff";

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

test("while an attempt may be running: never before its hard end and what the platform adds", () => {
  expect(policy(0)(1, true)).toBe(34);
  expect(policy(0)(10, true)).toBe(450);
});
