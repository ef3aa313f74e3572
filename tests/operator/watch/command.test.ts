/** `watch` as a person calls it. */
import type { RegisterCommand } from "../../../operator/command";
import { runProgram } from "../../../operator/run-program";
import { openerOf } from "../../../operator/watch/browser";
import { registerWatch } from "../../../operator/watch/command";
import { readPageFiles } from "../../../operator/watch/page-files";
import { BUNDLES_ARE_BUILT } from "../../../scripts/build-functions";
import { buildPage } from "../../../scripts/build-page";
import { ACCESS, FakeBridge, pullRaw } from "../backfill/fixture";

beforeAll(async () => {
  if (process.env[BUNDLES_ARE_BUILT] === undefined) await buildPage();
});

interface Ran {
  exitCode: number;
  printed: string[];
  noted: string[];
}

/** Runs a command until Ctrl-C, which comes after the first text that `onPrint` has dealt with. */
async function run(register: RegisterCommand, args: readonly string[], onPrint?: (text: string) => Promise<void>): Promise<Ran> {
  const ended = new AbortController();
  const [printed, noted]: [string[], string[]] = [[], []];
  let dealt: Promise<void> | undefined;
  const exitCode = await runProgram([...args, "--stack", "dev"], {
    version: "0.0.0",
    commands: [register],
    open: async () => ({ bridge: new FakeBridge(pullRaw()), access: { source: ACCESS, destination: ACCESS } }),
    interrupt: { signal: ended.signal, exitCode: () => (ended.signal.aborted ? 130 : undefined) },
    print(text) {
      printed.push(text);
      dealt ??= (onPrint?.(text) ?? Promise.resolve()).finally(() => ended.abort());
    },
    note: (text) => void noted.push(text),
  });
  await dealt;
  return { exitCode, printed, noted };
}

test("watch prints an address, serves the built page there until Ctrl-C, and nothing after it", async () => {
  let url = "";
  const ran = await run(registerWatch, ["watch", "--json"], async (text) => {
    url = (JSON.parse(text) as { url: string }).url;
    const { origin } = new URL(url);
    expect(await (await fetch(`${origin}/`)).text()).toContain("<title>CrossBorderBridge</title>");
    for (const file of ["/app.js", "/app.css", "/icon.svg"]) expect((await fetch(`${origin}${file}`)).status).toBe(200);
  });
  expect(ran).toMatchObject({ exitCode: 130, noted: ["interrupted"] });
  await expect(fetch(url)).rejects.toThrow();
});

test("a port that is taken is said, with the exit code of a wrong command line", async () => {
  const ran = await run(registerWatch, ["watch", "--json"], async (text) => {
    const { port } = new URL((JSON.parse(text) as { url: string }).url);
    const second = await run(registerWatch, ["watch", "--json", "--port", port]);
    expect(second).toMatchObject({
      exitCode: 2,
      noted: [`port ${port} is taken by another program: name another one, or leave out --port to take a free one`],
    });
  });
  expect(ran.exitCode).toBe(130);
});

test("a page that is not built says how to build it", async () => {
  await expect(readPageFiles("/nowhere")).rejects.toThrow("npm run build:page");
});

test("watch --terminal prints one look after the other, and serves nothing", async () => {
  const ran = await run(registerWatch, ["watch", "--terminal", "--json"]);
  expect(JSON.parse(ran.printed[0] ?? "")).toMatchObject({ stack: "dev", source: { reachable: true } });
  expect(ran.exitCode).toBe(130);
});

test("a browser is opened only where there is a screen", () => {
  expect(openerOf("linux", {})).toBeUndefined();
  expect(openerOf("linux", { DISPLAY: ":0" })).toEqual({ command: "xdg-open", args: [] });
  expect(openerOf("linux", { WAYLAND_DISPLAY: "w", CI: "true" })).toBeUndefined();
  expect(openerOf("darwin", {})?.command).toBe("open");
  expect(openerOf("win32", {})?.command).toBe("rundll32");
});
