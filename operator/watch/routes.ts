/** The requests of the page, each with its answer. The server has checked Host, Origin and token before. */
import type { IncomingMessage } from "node:http";
import * as z from "zod";
import { parseJson } from "../../runtime/protocol/json";
import { inScope } from "../../runtime/replication/scope";
import { isBridgeError } from "../../runtime/stores/errors";
import { readAll } from "../../runtime/stores/read-all";
import type { OperatedBridge } from "../operated-bridge";
import type { Overview } from "../overview/overview";
import { remedyOf } from "../overview/remedies";
import { createStatusReader } from "../status/read-status";
import { isExpected, type TaskInput, type Tasks } from "./tasks";

export interface RouteDeps {
  bridge: OperatedBridge;
  /** Only then may the page write an object. */
  local: boolean;
  overview: Pick<Overview, "knowledge" | "refresh">;
  tasks: Tasks;
  now(): number;
  signal: AbortSignal;
  /** Called with an error that is a fault of this program. */
  onFault(error: unknown): void;
}

export interface Answer {
  status: number;
  body: object;
}

/** A request that cannot be served; the message says why. */
class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** An object in the local AWS is kept in memory. */
export const MAX_UPLOAD_BYTES = 64 * 1024 ** 2;
const MAX_KEY_BYTES = 1024;
const MAX_INPUT_BYTES = 16_384;

/** Never rejects. */
export async function answerRequest(request: IncomingMessage, deps: RouteDeps): Promise<Answer> {
  try {
    return await route(request, deps);
  } catch (error) {
    if (error instanceof Refused) return failed(error.status, error);
    if (isExpected(error)) return failed(isBridgeError(error, "NotFound") ? 404 : 502, error);
    deps.onFault(error);
    return failed(500, error);
  }
}

const failed = (status: number, error: unknown): Answer => ({
  status,
  body: { error: error instanceof Error ? error.message : String(error) },
});

async function route(request: IncomingMessage, deps: RouteDeps): Promise<Answer> {
  const { method, pathname, searchParams } = asked(request);
  const task = /^\/api\/tasks\/([a-z]+)$/.exec(pathname)?.[1];
  switch (`${method} ${task === undefined ? pathname : "/api/tasks/"}`) {
    case "GET /api/key":
      return { status: 200, body: await statusOf(keyIn(searchParams), deps) };
    case "PUT /api/objects":
      return { status: 201, body: await putObject(keyIn(searchParams), request, deps) };
    case "POST /api/refresh":
      deps.overview.refresh();
      return { status: 202, body: {} };
    case "POST /api/tasks/": {
      const refusal = deps.tasks.start(task ?? "", await inputIn(request));
      if (refusal !== undefined) throw new Refused(409, refusal);
      return { status: 202, body: {} };
    }
    case "DELETE /api/tasks/":
      deps.tasks.cancel(task ?? "");
      return { status: 202, body: {} };
    default:
      throw new Refused(404, `the server has no ${method} ${pathname}`);
  }
}

/** Also for paths that no address can have. */
export function asked({ method = "", url = "/" }: Pick<IncomingMessage, "method" | "url">) {
  const [pathname = "", query = ""] = url.split("?", 2);
  return { method, pathname, searchParams: new URLSearchParams(query) };
}

function keyIn(searchParams: URLSearchParams): string {
  const key = searchParams.get("key") ?? "";
  if (key === "") throw new Refused(400, "the key is missing");
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new Refused(400, `a key has at most ${MAX_KEY_BYTES} bytes`);
  return key;
}

const inputSchema = z.strictObject({
  prefix: z.string().max(MAX_KEY_BYTES).optional(),
  bytes: z.boolean().optional(),
  reason: z.string().max(MAX_INPUT_BYTES).optional(),
});

/** Nothing is an input without a choice. */
async function inputIn(request: IncomingMessage): Promise<TaskInput> {
  const text = await readAll(request, MAX_INPUT_BYTES).catch((cause: unknown) => {
    throw new Refused(413, cause instanceof Error ? cause.message : "the input of the task is too large");
  });
  if (text.length === 0) return {};
  const parsed = inputSchema.safeParse(parseJson(text.toString("utf8")));
  if (!parsed.success) throw new Refused(400, `the input of the task is not valid: ${parsed.error.issues[0]?.message ?? ""}`);
  return parsed.data;
}

async function statusOf(key: string, { bridge, local, overview, now, signal }: RouteDeps) {
  const knowledge = await overview.knowledge();
  const status = await createStatusReader(bridge, { side: "source", knowledge, now, signal })(key);
  const { reason = "", progress } = status;
  const group = { status: status.status, reason, objects: 1, example: key, failures: progress?.failures ?? 0, held: 0 };
  return { ...status, remedy: remedyOf(group, bridge, local) };
}

async function putObject(key: string, request: IncomingMessage, { bridge, local, signal }: RouteDeps) {
  if (!local) throw new Refused(403, "only into a stack of npm start does the page write objects");
  const sizeBytes = Number(request.headers["content-length"]);
  if (!Number.isSafeInteger(sizeBytes)) throw new Refused(411, "the length of the object is missing");
  if (sizeBytes > MAX_UPLOAD_BYTES) throw new Refused(413, `an object has at most ${MAX_UPLOAD_BYTES / 1024 ** 2} MiB here`);
  const verdict = inScope(bridge.config.scope, key, { sizeBytes, tags: {} });
  if (!verdict.inScope) throw new Refused(422, `the bridge does not replicate this key: ${verdict.reason}`);
  const contentType = request.headers["content-type"] || "application/octet-stream";
  const attributes = { headers: { contentType }, metadata: {}, tags: {} };
  await bridge.source.store.put(bridge.source.keyPrefix + key, request, { attributes, sizeBytes, signal });
  return { key, sizeBytes };
}
