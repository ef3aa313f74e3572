/** Opens a Chromium, for the tests of the page and for its pictures: the pinned one of npm where it runs, else the machine's own. */
import { execFile } from "node:child_process";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createBrotliDecompress } from "node:zlib";
import { type Browser, chromium, type Page } from "playwright-core";
import { DEFAULT_STATE_DIR, toolsDir } from "../local/paths";

const PACKAGE = "@sparticuz/chromium";
const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];
const ELSEWHERE = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

interface Program {
  path: string;
  /** Where its shared libraries are, if they come with it. */
  libraryPath?: string | undefined;
}

/** @throws Error that says how to install one, if there is none */
async function findChromium(): Promise<Program> {
  const { CHROMIUM, PATH = "" } = process.env;
  if (CHROMIUM) return { path: CHROMIUM };
  if (process.platform === "linux" && process.arch === "x64") return await unpackChromium();
  const onPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const path = [...onPath, ...ELSEWHERE].find((one) => existsSync(one));
  if (path !== undefined) return { path };
  throw new Error("there is no Chromium and no Chrome: install one, or name its program in the variable CHROMIUM");
}

/** The package holds the program and its libraries compressed. They are unpacked once, beside the other tools. */
async function unpackChromium(): Promise<Program> {
  const main = createRequire(__filename).resolve(PACKAGE);
  const root = main.slice(0, main.lastIndexOf(PACKAGE) + PACKAGE.length);
  const { version } = createRequire(__filename)(join(root, "package.json")) as { version: string };
  const folder = join(toolsDir(DEFAULT_STATE_DIR), `chromium-${version}`);
  const program = { path: join(folder, "chromium"), libraryPath: join(folder, "lib") };
  if (existsSync(folder)) return program;
  await mkdir(dirname(folder), { recursive: true });
  const partial = await mkdtemp(`${folder}-`);
  try {
    const decompress = (name: string, target: string) =>
      pipeline(
        createReadStream(join(root, "bin", `${name}.br`)),
        createBrotliDecompress(),
        createWriteStream(join(partial, target)),
      );
    await decompress("chromium", "chromium");
    await chmod(join(partial, "chromium"), 0o755);
    await decompress("al2023.tar", "libraries.tar");
    await promisify(execFile)("tar", ["-xf", "libraries.tar"], { cwd: partial });
    await rm(join(partial, "libraries.tar"));
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    // Another process was faster.
    if (!existsSync(folder)) throw error;
  }
  return program;
}

/** Text stays sharp at this quality, and a picture has half the bytes of a PNG. */
const WEBP_QUALITY = 90;

/** Takes a picture of the visible part of the page, as WebP, which `page.screenshot` does not have. */
export async function takePicture(page: Page, path: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: WEBP_QUALITY });
  await writeFile(path, Buffer.from(data, "base64"));
}

export async function launchChromium(): Promise<Browser> {
  const { path, libraryPath } = await findChromium();
  // The sandbox needs rights that containers lack, and that root does not take; the page comes from this machine.
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--lang=en-US"];
  const env = libraryPath === undefined ? process.env : { ...process.env, LD_LIBRARY_PATH: libraryPath };
  return await chromium.launch({ executablePath: path, args, env: env as Record<string, string> });
}
