/**
 * Takes the pictures of the page for the documentation: `npm run docs:page`. It deploys the stack dev to the local clouds, writes objects for some
 * minutes, and then changes the signing secret at the destination. It takes about ten minutes.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { clientConfig } from "../local/aws/client-config";
import { openPage } from "../local/cli/page";
import { type LocalStack, startLocalStack } from "../local/local-stack";
import { readLocalSession } from "../operator/local-session";
import { operate } from "../operator/open-bridge";
import { generateSecret } from "../runtime/protocol/signing";
import type { ObjectStore } from "../runtime/stores/object-store";
import { launchChromium, takePicture } from "./chromium";

const FOLDER = join(__dirname, "..", "docs", "images");
const STACK = "dev";
const WORK_MS = 6 * 60_000;
const PAUSE_MS = 1_500;
const SIZES = [900, 4_000, 30_000, 130_000, 700_000, 2_000_000];
const PATIENCE_MS = 180_000;

async function main(): Promise<void> {
  const signal = new AbortController().signal;
  const stack = await startLocalStack({ stack: STACK, onProgress: console.error });
  const browser = await launchChromium();
  try {
    const page = await openPage(STACK, stack, { signal, opensBrowser: false });
    const bridge = operate(await readLocalSession(STACK, join(stack.clouds.runDir, "operator")));
    const { store } = bridge.source;
    await mkdir(FOLDER, { recursive: true });
    for (const endMs = Date.now() + WORK_MS; Date.now() < endMs; await delay(PAUSE_MS)) await putNext(store);
    await putOne(store, "backups/2026-11-20.tar", 60_000_000);
    await take(browser, page.url, { name: "page-light", heading: /Nothing is waiting|on (its|their) way/ });
    const chinese = { heading: /没有等待中的对象|正在复制/, context: { locale: "zh-CN" } };
    await take(browser, page.url, { name: "page-chinese", ...chinese });
    const narrow = { ...chinese.context, viewport: { width: 390, height: 844 } };
    await take(browser, page.url, { name: "page-narrow", ...chinese, context: narrow });
    await changeSecret(stack);
    // The receiver knows the new secret within a minute.
    await delay(65_000);
    for (let index = 0; index < 5; index++) await putNext(store);
    const context: BrowserContextOptions = { colorScheme: "dark" };
    await take(browser, page.url, { name: "page-trouble", heading: /not get across/, words: "the signing secrets", context });
    await Promise.all([page.close(), bridge.close()]);
  } finally {
    await browser.close();
    await stack.stop();
  }
}

let written = 0;

async function putNext(store: ObjectStore): Promise<void> {
  const day = String(1 + (written % 28)).padStart(2, "0");
  await putOne(store, `reports/2026/11/${day}/part-${written}.parquet`, SIZES[written % SIZES.length] ?? 1);
}

async function putOne(store: ObjectStore, key: string, sizeBytes: number): Promise<void> {
  written += 1;
  await store.put(key, Buffer.alloc(sizeBytes, key), { sizeBytes, attributes: { headers: {}, metadata: {}, tags: {} } });
}

async function changeSecret({ clouds }: LocalStack): Promise<void> {
  const client = new SSMClient({ ...clientConfig(clouds["aws-cn"]), region: "cn-north-1" });
  const Name = `/crossborderbridge/${STACK}/destination/token`;
  await client.send(new PutParameterCommand({ Name, Type: "SecureString", Value: generateSecret(), Overwrite: true }));
  client.destroy();
}

interface Picture {
  name: string;
  heading: RegExp;
  /** Words that the page shows. */
  words?: string;
  context?: BrowserContextOptions;
}

async function take(browser: Browser, url: string, { name, heading, words, context: options }: Picture): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, locale: "en-US", ...options });
  const page = await context.newPage();
  await page.goto(url);
  await page.getByRole("heading", { level: 1, name: heading }).waitFor({ timeout: PATIENCE_MS });
  if (words !== undefined) await page.getByText(words).first().waitFor({ timeout: PATIENCE_MS });
  await takePicture(page, join(FOLDER, `${name}.webp`));
  await context.close();
  console.log(`docs/images/${name}.webp`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
