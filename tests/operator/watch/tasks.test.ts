import { UsageError } from "../../../operator/command";
import { type Task, type TaskState, Tasks } from "../../../operator/watch/tasks";

interface Opened {
  tasks: Tasks;
  changes: TaskState[];
  faults: unknown[];
  ended: AbortController;
}

function open(...given: Task[]): Opened {
  const changes: TaskState[] = [];
  const faults: unknown[] = [];
  const ended = new AbortController();
  let now = 0;
  const tasks: Tasks = new Tasks(given, {
    now: () => ++now,
    signal: ended.signal,
    onChange: () => changes.push(...tasks.list()),
    onFault: (error) => faults.push(error),
  });
  return { tasks, changes, faults, ended };
}

const untilAborted: Task["run"] = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));

test("a task runs, reports and ends with its result", async () => {
  const { tasks, changes } = open({
    name: "count",
    async run({ report }) {
      report({ done: 5, total: 9 });
      return { objects: 9 };
    },
  });
  expect(tasks.list()).toEqual([{ name: "count", state: "idle" }]);
  expect(tasks.start("count")).toBeUndefined();
  await tasks.settled();
  expect(changes.map(({ state, progress, result }) => [state, progress?.done, result])).toEqual([
    ["running", undefined, undefined],
    ["running", 5, undefined],
    ["done", 5, { objects: 9 }],
  ]);
});

test("one of a kind runs at a time; it can be cancelled, and started again", async () => {
  const { tasks } = open({ name: "count", run: untilAborted });
  tasks.start("count");
  expect(tasks.start("count")).toBe("the task count runs already");
  expect(tasks.start("format")).toBe("there is no task format");
  tasks.cancel("format");
  tasks.cancel("count");
  await tasks.settled();
  expect(tasks.list()).toMatchObject([{ state: "cancelled" }]);
  expect(tasks.start("count")).toBeUndefined();
  tasks.cancel("count");
  await tasks.settled();
});

test("the end of the page ends its tasks", async () => {
  const { tasks, ended } = open({ name: "count", run: untilAborted });
  tasks.start("count");
  ended.abort();
  await tasks.settled();
  expect(tasks.list()).toMatchObject([{ state: "cancelled" }]);
});

test.each([
  ["an error of the user", new UsageError("no such prefix"), 0],
  ["a bug", new TypeError("a bug"), 1],
])("%s is shown; only a bug is reported as a fault", async (_what, error, faults) => {
  const opened = open({ name: "probe", run: () => Promise.reject(error) });
  opened.tasks.start("probe");
  await opened.tasks.settled();
  expect(opened.tasks.list()).toMatchObject([{ state: "failed", error: error.message }]);
  expect(opened.faults).toHaveLength(faults);
});
