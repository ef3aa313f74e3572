/** Scenarios with a client that has no suite of its own: each is a function that rejects when the cloud answers otherwise than documented. */
import type { Result, Suite } from "./suite";

export type Scenarios<C> = Readonly<Record<string, (context: C) => Promise<void>>>;

export interface ScenarioOptions<C> {
  id: string;
  version: string;
  scenarios: Scenarios<C>;
  /** Called once before the first scenario. */
  start(): Promise<{ context: C; stop(): Promise<void> }>;
}

export function scenarioSuite<C>({ id, version, scenarios, start }: ScenarioOptions<C>): Suite {
  return {
    id,
    version,
    list: async () => Object.keys(scenarios),
    async run(cases) {
      const { context, stop } = await start();
      const results = new Map<string, Result>();
      try {
        for (const name of cases) {
          const scenario = scenarios[name];
          if (scenario !== undefined) results.set(name, await resultOf(scenario(context)));
        }
      } finally {
        await stop();
      }
      return results;
    },
  };
}

async function resultOf(ended: Promise<void>): Promise<Result> {
  try {
    await ended;
    return { passed: true, detail: "" };
  } catch (error) {
    return { passed: false, detail: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
