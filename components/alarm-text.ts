/** Where an alarm's text sends its reader. */
import type { BridgeContext } from "./cloud";

const RUNBOOK = "docs/runbook.md";

/** The operator's own copy of the runbook, or the page of this repository. */
export const runbookOf = ({ runbookUrl = RUNBOOK }: Pick<BridgeContext["config"], "runbookUrl">): string => runbookUrl;

/** @param section a heading of docs/runbook.md, as an anchor */
export const seeRunbook = (config: Pick<BridgeContext["config"], "runbookUrl">, section: string): string =>
  `See ${runbookOf(config)}#${section}`;
