/** Opens the Chromium of this machine, for the tests of the page and for its pictures. No browser is downloaded. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];
const ELSEWHERE = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** @throws Error that says how to install one, if there is none */
function chromiumPath(): string {
  const { CHROMIUM, PATH = "" } = process.env;
  const onPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const found = [...(CHROMIUM ? [CHROMIUM] : []), ...onPath, ...ELSEWHERE].find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    "there is no Chromium and no Chrome: install one (Debian: apt-get install chromium), or name its program in the variable CHROMIUM",
  );
}

export function launchChromium(): Promise<Browser> {
  // A container's user is root, for whom Chromium has no sandbox; the page comes from this machine.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: chromiumPath(), args: [...args, "--disable-dev-shm-usage", "--lang=en-US"] });
}
