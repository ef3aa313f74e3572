/** The command as it is started, in a process of its own. */
import { execFile } from "node:child_process";
import { join } from "node:path";

const MAIN = join(__dirname, "..", "..", "operator", "main.ts");
/** Something that is still open at the end, as a call is whose client takes no signal. */
const PENDING = 'data:text/javascript,import { createServer } from "node:net"; createServer().listen(0, "127.0.0.1");';

function start(...args: string[]): Promise<{ exitCode: unknown; printed: string; noted: string }> {
  return new Promise((resolve) => {
    const limits = { timeout: 30_000, killSignal: "SIGKILL" } as const;
    execFile(process.execPath, ["--import", "tsx", "--import", PENDING, MAIN, ...args], limits, (error, printed, noted) =>
      resolve({ exitCode: error === null ? 0 : (error.code ?? error.signal), printed, noted }),
    );
  });
}

test.each([
  ["in good order", ["--help"], { exitCode: 0, printed: expect.stringMatching(/status .*\n[\s\S]*\n$/), noted: "" }],
  ["by a failure", ["nope"], { exitCode: 2, printed: "", noted: expect.stringMatching(/unknown command 'nope'\n[\s\S]*\n$/) }],
])("the command that ends %s is not kept by what is still open, and has told everything", async (_how, args, told) => {
  expect(await start(...args)).toEqual(told);
});
