/** Opens an address in the user's browser. */
import { spawn } from "node:child_process";

type Env = Readonly<Record<string, string | undefined>>;

/** The program that opens an address. Undefined where there is no screen. */
export function openerOf(platform: NodeJS.Platform, env: Env): { command: string; args: string[] } | undefined {
  if (env.CI !== undefined) return undefined;
  switch (platform) {
    case "darwin":
      return { command: "open", args: [] };
    case "win32":
      return { command: "rundll32", args: ["url.dll,FileProtocolHandler"] };
    default:
      return env.DISPLAY || env.WAYLAND_DISPLAY ? { command: "xdg-open", args: [] } : undefined;
  }
}

/** Does nothing where there is no browser: the address was printed. */
export function openBrowser(url: string): void {
  const opener = openerOf(process.platform, process.env);
  if (opener === undefined) return;
  const child = spawn(opener.command, [...opener.args, url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}
