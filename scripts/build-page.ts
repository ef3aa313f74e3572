/** Bundles the page of `npm run bridge -- watch` into `dist/page`: `npx tsx scripts/build-page.ts`. */
import { copyFile, mkdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { build } from "esbuild";
import { withEsbuild } from "./build-functions";

const ROOT = resolve(__dirname, "..");
const SOURCE = join(ROOT, "web");
const COPIED = ["index.html", "icon.svg"];

/**
 * @returns the folder
 * @throws Error with esbuild's messages
 */
export async function buildPage({ outDir = join(ROOT, "dist", "page") }: { outDir?: string } = {}): Promise<string> {
  await withEsbuild(() =>
    build({
      absWorkingDir: ROOT,
      entryPoints: { app: join(SOURCE, "app.tsx") },
      outdir: outDir,
      bundle: true,
      platform: "browser",
      target: ["chrome120", "firefox120", "safari17"],
      format: "esm",
      minify: true,
      jsx: "automatic",
      jsxImportSource: "preact",
      legalComments: "none",
      charset: "utf8",
      logLevel: "silent",
    }),
  );
  await mkdir(outDir, { recursive: true });
  for (const file of COPIED) await copyFile(join(SOURCE, file), join(outDir, file));
  return outDir;
}

if (require.main === module) {
  buildPage().then(
    (folder) => console.log(`${"page".padEnd(10)} ${relative(process.cwd(), folder)}`),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  );
}
