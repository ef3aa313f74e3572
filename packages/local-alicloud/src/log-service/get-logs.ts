/** GetLogs of what functions wrote. https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-getlogs */
import { ApiError, type FunctionCompute } from "../contracts";
import type { LogAnswer, LogCall } from "./log-call";

const MAX_LINES = 100;

/** Without a project in the host it reads the stores of this name of all projects of the region. */
export function getLogs(call: LogCall, store: string, fc: Pick<FunctionCompute, "logEntries">): LogAnswer {
  const { region, query, project } = call;
  const entries = fc
    .logEntries(region)
    .filter((entry) => entry.logstore === store && (project === undefined || entry.project === project));
  // Also for a store without logs, or of another name: an answer says that there are none.
  const projects = project === undefined ? entries.map((entry) => entry.project) : [project];
  for (const one of new Set(projects.length === 0 ? ["*"] : projects))
    call.authorize("log:GetLogStoreLogs", `project/${one}/logstore/${store}`);
  const found = entries.length === 0 ? [] : select(entries, query);
  return { body: found, headers: { "x-log-progress": "Complete", "x-log-count": String(found.length) } };
}

function select(entries: ReturnType<FunctionCompute["logEntries"]>, query: URLSearchParams): object[] {
  const number = (name: string, fallback?: number) => numberOf(query, name, fallback);
  const [from, to, offset, line] = [number("from"), number("to"), number("offset", 0), number("line", MAX_LINES)];
  if (line > MAX_LINES) throw new ApiError(400, "ParameterInvalid", `line must be at most ${MAX_LINES}`);
  const matches = matcherOf(query.get("query") ?? "");
  const found = entries
    .filter(({ atMs, text }) => atMs >= from * 1000 && atMs < to * 1000 && matches(text))
    .sort((a, b) => a.atMs - b.atMs);
  if (query.get("reverse") === "true") found.reverse();
  return found.slice(offset, offset + line).map(({ atMs, functionName, text }) => ({
    ...{ __time__: String(Math.floor(atMs / 1000)), __source__: "", __topic__: `FCLogs:${functionName}` },
    ...{ functionName, message: text },
  }));
}

function numberOf(parameters: URLSearchParams, name: string, fallback?: number): number {
  const text = parameters.get(name) ?? (fallback === undefined ? "" : String(fallback));
  if (/^\d+$/.test(text)) return Number(text);
  throw new ApiError(400, "ParameterInvalid", `${name} must be a whole number`);
}

/** Serves `*` and quoted words joined by `or`. https://www.alibabacloud.com/help/en/sls/user-guide/search-syntax */
function matcherOf(query: string): (text: string) => boolean {
  if (query === "" || query === "*") return () => true;
  const words = query.split(/ or /i).map((term) => /^"([^"]+)"$/.exec(term.trim())?.[1]?.toLowerCase());
  return (text) => {
    const lower = text.toLowerCase();
    return words.some((word) => {
      if (word === undefined)
        throw new ApiError(400, "ParameterInvalid", `the local log service does not serve the query ${query}`);
      return lower.includes(word);
    });
  };
}
