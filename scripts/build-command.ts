/**
 * Bundles the operator's command: `npx tsx scripts/build-command.ts`. A few files start much faster than the hundreds that it is made of, and each
 * command reads only those that it needs.
 */
import { chmod, rm } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { build, stop } from "esbuild";

const ROOT = resolve(__dirname, "..");

/**
 * Found when they are used, in the program that installed this package or in the checkout: Pulumi reads stacks, the others draw the chart of the
 * probe.
 */
const EXTERNAL = ["@pulumi/pulumi", "@resvg/resvg-js", "dejavu-fonts-ttf", "echarts"];

/** Only ECMAScript modules can be split. In them, the CommonJS packages of the bundle need their `require`. */
const COMMONJS = [
  `import { createRequire as createRequireOfBundle } from "node:module";`,
  `import { fileURLToPath as pathOfBundle } from "node:url";`,
  "const require = createRequireOfBundle(import.meta.url);",
  "const __filename = pathOfBundle(import.meta.url);",
  `const __dirname = pathOfBundle(new URL(".", import.meta.url));`,
].join("");

/** @returns the absolute path of the command */
export async function buildCommand({ outDir = join(ROOT, "dist") }: { outDir?: string } = {}): Promise<string> {
  const outdir = join(outDir, "cli");
  const command = join(outdir, "crossborderbridge.mjs");
  await rm(outdir, { recursive: true, force: true });
  try {
    await build({
      ...{ absWorkingDir: ROOT, entryPoints: { crossborderbridge: "operator/main.ts" }, outdir, external: EXTERNAL },
      ...{ bundle: true, splitting: true, platform: "node", target: "node20", format: "esm", minify: true },
      ...{ mainFields: ["module", "main"], legalComments: "none", charset: "ascii", logLevel: "silent" },
      ...{ outExtension: { ".js": ".mjs" }, chunkNames: "[hash]" },
      banner: { js: `#!/usr/bin/env node\n${COMMONJS}` },
    });
  } finally {
    // Its service keeps up to 900 MB.
    await stop();
  }
  await chmod(command, 0o755);
  return command;
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
