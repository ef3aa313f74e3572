import { createClosers } from "../../local/closers";

function closersOf(...steps: ("ok" | Error)[]) {
  const closed: number[] = [];
  const closers = createClosers();
  steps.forEach((step, index) => {
    closers.add(async () => {
      closed.push(index);
      if (step !== "ok") throw step;
    });
  });
  return { closers, closed };
}

test("all are closed in reverse order, and only once", async () => {
  const { closers, closed } = closersOf("ok", "ok", "ok");
  await closers.closeAll();
  await closers.closeAll();
  expect(closed).toEqual([2, 1, 0]);
});

test("after a failure the others are closed as well, and all failures are reported", async () => {
  const { closers, closed } = closersOf(new Error("first"), "ok", new Error("third"));
  const failure = await closers.closeAll().catch((error: unknown) => error);
  expect(closed).toEqual([2, 1, 0]);
  expect(failure).toBeInstanceOf(AggregateError);
  expect((failure as AggregateError).errors.map(String)).toEqual(["Error: third", "Error: first"]);
  expect((failure as AggregateError).message).toBe("third; first");
});

test("a synchronous error counts as a failure", async () => {
  const { closers, closed } = closersOf("ok");
  closers.add(() => {
    throw new Error("at once");
  });
  await expect(closers.closeAll()).rejects.toThrow("at once");
  expect(closed).toEqual([0]);
});

test("closeAfter rejects with the given failure", async () => {
  const { closers, closed } = closersOf("ok");
  const failure = new Error("it began with this");
  await expect(closers.closeAfter(failure)).rejects.toBe(failure);
  expect(closed).toEqual([0]);
});

test("closeAfter adds the failures of the closing", async () => {
  const { closers } = closersOf(new Error("stuck"));
  const failure = await closers.closeAfter(new Error("it began with this")).catch((error: unknown) => error);
  expect((failure as AggregateError).message).toBe("it began with this; stuck");
});
