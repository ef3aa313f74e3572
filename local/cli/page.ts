/** The page of `npm start`, which shows the bridge that it runs. It is that of `npm run bridge -- watch`. */
import { join } from "node:path";
import { readLocalSession } from "../../operator/local-session";
import { operate } from "../../operator/open-bridge";
import { openBrowser } from "../../operator/watch/browser";
import { readPageFiles } from "../../operator/watch/page-files";
import { servePage } from "../../operator/watch/server";
import { BUNDLES_ARE_BUILT } from "../../scripts/build-functions";
import { buildPage } from "../../scripts/build-page";
import type { LocalStack } from "../local-stack";
import { writeOperatorFile } from "./operator-file";

export interface OpenPage {
  url: string;
  close(): Promise<void>;
}

export async function openPage(
  name: string,
  stack: LocalStack,
  { signal, opensBrowser }: { signal: AbortSignal; opensBrowser: boolean },
): Promise<OpenPage> {
  if (process.env[BUNDLES_ARE_BUILT] === undefined) await buildPage();
  // A folder of this run: another run of the same stack may be there too.
  const folder = join(stack.clouds.runDir, "operator");
  await writeOperatorFile(name, stack, folder);
  const found = await readLocalSession(name, folder);
  const { access } = found;
  const bridge = operate(found);
  const onFault = (error: unknown) => console.error("the page:", error);
  const page = await servePage({ bridge, access, local: true, files: await readPageFiles(), port: 0, signal, onFault });
  page.failed.catch(onFault);
  if (opensBrowser && process.stdout.isTTY) openBrowser(page.urlForBrowser());
  return {
    url: page.url,
    async close() {
      await page.close();
      await bridge.close();
    },
  };
}
