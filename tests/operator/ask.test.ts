import { PassThrough } from "node:stream";
import { askAtTerminal } from "../../operator/ask";

function terminal() {
  const input = new PassThrough();
  const output = new PassThrough();
  return { input, output };
}

test.each([
  ["y\n", true],
  ["YES \n", true],
  ["n\n", false],
  ["\n", false],
  ["yesterday\n", false],
])("the answer %j means %s", async (typed, agreed) => {
  const streams = terminal();
  streams.input.write(typed);
  expect(await askAtTerminal("Run it?", new AbortController().signal, streams)).toBe(agreed);
  expect(String(streams.output.read())).toBe("Run it? [y/N] ");
});

test("the end of the input means no", async () => {
  const streams = terminal();
  streams.input.end();
  expect(await askAtTerminal("Run it?", new AbortController().signal, streams)).toBe(false);
});

test("an interruption ends the question", async () => {
  const controller = new AbortController();
  const asked = askAtTerminal("Run it?", controller.signal, terminal());
  controller.abort();
  await expect(asked).rejects.toThrow(/abort/i);
});
