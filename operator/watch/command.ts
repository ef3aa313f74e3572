/** `npm run bridge -- watch`: a page that shows the bridge. */
import { once } from "node:events";
import {
  bridgeCommand,
  type CommandContext,
  type CommonOptions,
  type ExitCode,
  FINE,
  type RegisterCommand,
  whole,
} from "../command";

interface WatchOptions extends CommonOptions {
  port: number;
  /** False with --no-open. */
  open: boolean;
  terminal?: true;
}

const HELP = `
The page shows both sides, the backlog and its reasons with the command that mends each, dead letters, lag, bytes, the keys of the last
minutes, and large copies with their progress. From it dead letters are sent again, and verify and probe are started. Only this machine reaches it, and only with the address that is printed: who has the address
can read keys, start these tasks and, on a stack of npm start, write objects. Ctrl-C ends it. With --terminal the same is printed here again and again; with
--json too, each look is one line.`;

export const registerWatch: RegisterCommand = (program, onBridge) => {
  bridgeCommand(program, "watch", "Serves a page on this machine that shows the bridge.")
    .option("--port <n>", "the port; 0 takes a free one", whole(0, 65_535), 0)
    .option("--terminal", "show it in this terminal, and serve no page")
    .option("--no-open", "print the address only, and open no browser")
    .addHelpText("after", HELP)
    .action((options: WatchOptions) => onBridge(options, (context) => watch(context, options)));
};

async function watch(context: CommandContext, { port, open, terminal }: WatchOptions): Promise<ExitCode> {
  const { bridge, access, local, json, signal, print, note } = context;
  if (terminal) {
    const { watchInTerminal } = await import("../overview/terminal");
    return watchInTerminal(context, { isTerminal: process.stdout.isTTY === true, now: Date.now });
  }
  // Loaded on demand: the help of other commands does not need the page.
  const [{ servePage }, { readPageFiles }, { openBrowser }] = await Promise.all([
    import("./server"),
    import("./page-files"),
    import("./browser"),
  ]);
  const onFault = (error: unknown) => note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const page = await servePage({ bridge, access, local, files: await readPageFiles(), port, signal, onFault });
  try {
    print(json ? JSON.stringify({ url: page.url }) : page.url);
    if (open && !json) openBrowser(page.urlForBrowser());
    const interrupted = signal.aborted ? undefined : once(signal, "abort");
    await Promise.race([interrupted, page.failed]);
    return FINE;
  } finally {
    await page.close();
  }
}
