import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import type { Role } from "../../../runtime/protocol/env";
import type { FunctionPlatform } from "../../../scripts/build-functions";

/** Built before the first test starts. */
const BUILT = join(resolve(__dirname, "../../.."), "dist", "functions");

export interface Ended {
  code: number | null;
  /** Undefined when the handler threw. */
  answer: unknown;
  /** The message of what it threw. */
  thrown: string | undefined;
  logged: Record<string, unknown>[];
  stderr: string;
}

/** Before the outcome. Node.js prints a line of the bundle when it fails to load, and that line holds every word of the code. */
const MARK = "<outcome of the bundle> ";

function ended(stderr: string, how: "answer" | "thrown"): string | undefined {
  const at = stderr.lastIndexOf(`${MARK}${how}:`);
  return at < 0 ? undefined : stderr.slice(at + `${MARK}${how}:`.length);
}

/** Runs a built bundle in a bare process. `call` is the expression that invokes `handler` with the text `event`. */
export function invokeBundle(options: {
  platform: FunctionPlatform;
  role: Role;
  call: string;
  event: string;
  env: Record<string, string>;
}): Promise<Ended> {
  const { platform, role, call, event, env } = options;
  const script = `
    const { handler } = require(process.argv[1]);
    const event = process.argv[2];
    // A platform keeps the process of a function alive.
    setInterval(() => undefined, 60_000);
    const end = (text) => process.stderr.write(text, () => process.exit(0));
    ${call}.then((answer) => end("${MARK}answer:" + JSON.stringify(answer ?? null)), (error) => end("${MARK}thrown:" + error.message));`;
  const child = spawn(process.execPath, ["--no-warnings", "-e", script, join(BUILT, platform, role, "index.js"), event], { env });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  return new Promise((done) => {
    child.on("close", (code) => {
      const answer = ended(stderr, "answer");
      const logged = stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      const thrown = ended(stderr, "thrown");
      done({ code, answer: answer === undefined ? undefined : JSON.parse(answer), thrown, logged, stderr });
    });
  });
}
