import { SDK_ENVIRONMENT } from "../../local/aws/client-config";
import { installMinistack } from "../../local/aws/ministack";
import { DEFAULT_STATE_DIR, toolsDir } from "../../local/paths";
import { ensurePulumi } from "../../local/toolchain/pulumi";
import { buildFunctions } from "../../scripts/build-functions";

/** Everything the tests share is there before the first one starts, so that none of them waits for an installation. */
export default async function setUp(): Promise<void> {
  // The workers inherit it, whichever clients they make.
  Object.assign(process.env, SDK_ENVIRONMENT);
  const onProgress = (line: string) => console.log(line);
  await installMinistack({ stateDir: toolsDir(DEFAULT_STATE_DIR), onProgress });
  await ensurePulumi({ stateDir: DEFAULT_STATE_DIR, onProgress });
  await buildFunctions();
}
