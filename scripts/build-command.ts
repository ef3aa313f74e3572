/** Bundles the operator's command: `npx tsx scripts/build-command.ts`. One file starts much faster than the hundreds that it is made of. */
import { chmod, rm } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { build, stop } from "esbuild";

const ROOT = resolve(__dirname, "..");

/**
 * Found when they are used, in the program that installed this package or in the checkout: Pulumi reads stacks, the others draw the chart of the
 * probe.
 */
const EXTERNAL = ["@pulumi/pulumi", "@resvg/resvg-js", "dejavu-fonts-ttf", "echarts"];

/** @returns the absolute path of the bundle */
export async function buildCommand({ outDir = join(ROOT, "dist") }: { outDir?: string } = {}): Promise<string> {
  const outfile = join(outDir, "cli", "crossborderbridge.js");
  await rm(join(outDir, "cli"), { recursive: true, force: true });
  try {
    await build({
      ...{ absWorkingDir: ROOT, entryPoints: ["operator/main.ts"], outfile, external: EXTERNAL },
      ...{ bundle: true, platform: "node", target: "node20", format: "cjs", minify: true, mainFields: ["module", "main"] },
      ...{ legalComments: "none", charset: "ascii", logLevel: "silent" },
      banner: { js: "#!/usr/bin/env node" },
    });
  } finally {
    // Its service keeps up to 900 MB.
    await stop();
  }
  await chmod(outfile, 0o755);
  return outfile;
}

if (require.main === module) {
  buildCommand().then(
    (path) => console.log(`command    ${relative(process.cwd(), path)}`),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  );
}
