/** What `npm start` shows while it deploys, on a terminal and in a file. */
import { createProgress } from "../../../local/cli/progress";

const WARNING = "    warning: The receiver needs an ICP licence.";

function shownOn(terminal: { isTTY: boolean; columns?: number }, lines: readonly string[]): string {
  let text = "";
  const stream = { ...terminal, write: (part: string) => (text += part) } as unknown as NodeJS.WriteStream;
  const progress = createProgress(stream);
  for (const line of lines) progress.engineLine(line);
  progress.done();
  return text;
}

/** The lines that are left when each part that is cleared is gone. */
const CLEAR = "\r\u001b[K";
const left = (text: string): string =>
  text
    .split(CLEAR)
    .filter((part) => part.endsWith("\n"))
    .join("");

test("a warning of the engine stays on a terminal, whole", () => {
  const text = shownOn({ isTTY: true, columns: 30 }, ["+ aws:s3:Bucket creating", WARNING, "+ aws:sqs:Queue creating"]);
  expect(left(text)).toBe(`          ${WARNING.trim()}\n`);
});

test("without a terminal only errors and warnings are shown", () => {
  const text = shownOn({ isTTY: false }, ["+ aws:s3:Bucket creating", WARNING, "  error: no such bucket"]);
  expect(text).toBe(`          ${WARNING.trim()}\n          error: no such bucket\n`);
});

test.each([
  [30, "+ aws:sqs:Queue cr"],
  [0, "+ aws:sqs:Queue creating"],
  [undefined, "+ aws:sqs:Queue creating"],
])("on a terminal of %p columns another line is cut to one row", (columns, shown) => {
  const text = shownOn({ isTTY: true, ...(columns === undefined ? {} : { columns }) }, ["+ aws:sqs:Queue creating"]);
  expect(text).toBe(`\r\u001b[K          ${shown}\r\u001b[K`);
});
