import { SDK_ENVIRONMENT } from "../../local/aws/client-config";
import { installMinistack } from "../../local/aws/ministack";
import { DEFAULT_STATE_DIR, toolsDir } from "../../local/paths";
import { ensurePulumi } from "../../local/toolchain/pulumi";
import { BUNDLES_ARE_BUILT, buildFunctions } from "../../scripts/build-functions";
import { buildPage } from "../../scripts/build-page";

/** Installs the tools and builds the bundles that all tests share. Runs once before the first test. */
export default async function setUp(): Promise<void> {
  // The workers inherit the environment.
  Object.assign(process.env, SDK_ENVIRONMENT);
  const onProgress = (line: string) => console.log(line);
  await installMinistack({ stateDir: toolsDir(DEFAULT_STATE_DIR), onProgress });
  await ensurePulumi({ stateDir: DEFAULT_STATE_DIR, onProgress });
  await buildFunctions();
  await buildPage();
  process.env[BUNDLES_ARE_BUILT] = "1";
}
