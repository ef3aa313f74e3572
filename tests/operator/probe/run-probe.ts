/** A run of `probe` on probers in memory. */
import type { CommandContext } from "../../../operator/command";
import { type ProbeOptions, probe } from "../../../operator/probe/probe";
import { VirtualTime } from "../../support/virtual-time";
import { type FakeOptions, fakeBridge } from "./fake-bridge";

export interface GivenProbe extends Partial<ProbeOptions> {
  out: string;
  fake?: Omit<FakeOptions, "time">;
  onNote?: ((text: string, stop: AbortController) => void) | undefined;
}

export async function runProbe({ fake = {}, onNote, ...changes }: GivenProbe) {
  const time = new VirtualTime();
  const { bridge, calls } = fakeBridge({ time, ...fake });
  const [printed, noted]: [string[], string[]] = [[], []];
  const stop = new AbortController();
  const context: CommandContext = {
    ...{ bridge, access: undefined as never, local: true, json: changes.json === true, signal: stop.signal },
    print: (text) => void printed.push(text),
    note(text) {
      noted.push(text);
      onNote?.(text, stop);
    },
  };
  const options: ProbeOptions = {
    ...{ stack: "aws-to-china", sizes: [1024, 2048], count: 2, direction: "both", attempts: 20, intervalMs: 500 },
    ...{ parallel: 1, pauseMs: 0, ...changes },
  };
  const outcome = await time.during(probe(context, options, { time, runId: () => "run" })).then(
    (exitCode) => ({ exitCode }),
    (error: unknown) => ({ error }),
  );
  return { outcome, calls, printed, noted };
}
