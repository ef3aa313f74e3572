/** Serves the page of one bridge on the loopback address. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type CommandContext, UsageError } from "../command";
import type { OperatedBridge } from "../operated-bridge";
import { CLOUD_PACE, LOCAL_PACE, Overview, type Pace } from "../overview/overview";
import { COMMAND } from "../places";
import { tasksOf } from "./bridge-tasks";
import { EventStream } from "./event-stream";
import { bearerOf, createToken, OneTimeCodes, type Refusal, refusalOf, SECURITY_HEADERS, tokenRefusal } from "./guard";
import type { PageFiles } from "./page-files";
import { answerRequest, asked, MAX_UPLOAD_BYTES, type RouteDeps } from "./routes";
import { type TaskState, Tasks } from "./tasks";

export interface PageOptions {
  bridge: OperatedBridge;
  access: CommandContext["access"];
  /** Whether the bridge runs in the local clouds of `npm start`. */
  local: boolean;
  files: PageFiles;
  /** 0: a free one. */
  port: number;
  /** Ends every request to a cloud. */
  signal: AbortSignal;
  /** Called with an error that is a fault of this program. */
  onFault(error: unknown): void;
  /** @default that of the clouds or of the local clouds */
  pace?: Pace;
  /** Milliseconds since the epoch. @default the system's time */
  now?: () => number;
}

export interface ServedPage {
  /** With the token, so it is a secret. A browser keeps the part after `#` to itself. */
  url: string;
  /** An address that opens the page once, within a minute: for the arguments of a process, which other users of the machine see. */
  urlForBrowser(): string;
  /** Rejects if the page can show nothing more. Never resolves. */
  failed: Promise<never>;
  close(): Promise<void>;
}

/** What the page gets once, before the first snapshot. */
export interface Hello {
  stack: string;
  mode: string;
  local: boolean;
  /** How a person calls this command. */
  command: string;
  /** The time of this machine, and how often it looks: the page tells by them how old a snapshot is. */
  nowMs: number;
  everyMs: number;
  /** The largest object that may be dropped. Absent if none may be. */
  maxUploadBytes?: number | undefined;
  tasks: TaskState[];
}

export async function servePage(options: PageOptions): Promise<ServedPage> {
  const { bridge, access, local, port, onFault, now = Date.now, pace = local ? LOCAL_PACE : CLOUD_PACE } = options;
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const sleep = (ms: number, wake: AbortSignal) => delay(ms, undefined, { signal: wake });
  const overview = new Overview({ bridge, local, pace, now, sleep, signal });
  const events = new EventStream();
  const deps = { bridge, access, local, now, knowledge: () => overview.knowledge(), refresh: () => overview.refresh() };
  const sendTasks = () => events.send("tasks", tasks.list());
  const tasks = new Tasks(tasksOf(deps), { now, signal, onFault, onChange: sendTasks });
  const token = createToken();
  const codes = new OneTimeCodes(now);
  const routes: RouteDeps = { bridge, local, overview, tasks, now, signal, onFault };

  const server = createServer((request, response) => {
    const refusal = refusalIn(request, (server.address() as AddressInfo).port, token);
    const file = options.files.get(asked(request).pathname);
    if (refusal !== undefined) refuse(request, response, refusal);
    else if (request.method === "POST" && asked(request).pathname === EXCHANGE) exchangeCode(request, response);
    else if (file !== undefined && request.method === "GET")
      response.writeHead(200, { ...SECURITY_HEADERS, "content-type": file.contentType }).end(file.content);
    else if (asked(request).pathname === "/api/events") openEvents(response);
    else void answer(request, response);
  });

  function exchangeCode(request: IncomingMessage, response: ServerResponse): void {
    if (!codes.use(bearerOf(request))) {
      refuse(request, response, {
        status: 401,
        reason: "the code was used before, or is too old: use the address that the command printed",
      });
      return;
    }
    request.resume();
    response.writeHead(200, { ...SECURITY_HEADERS, "content-type": "application/json" }).end(JSON.stringify({ token }));
  }

  function openEvents(response: ServerResponse): void {
    let unsubscribe = () => {};
    events.open(response, SECURITY_HEADERS, () => unsubscribe());
    const { stack, config } = bridge;
    const hello: Hello = {
      ...{ stack, mode: config.mode, local, command: COMMAND, tasks: tasks.list(), nowMs: now(), everyMs: pace.everyMs },
      maxUploadBytes: local ? MAX_UPLOAD_BYTES : undefined,
    };
    events.sendTo(response, "hello", hello);
    unsubscribe = overview.subscribe((snapshot) => events.sendNewest(response, "snapshot", snapshot));
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = await answerRequest(request, routes);
    // An upload that was refused is not read to its end.
    const headers = request.complete ? SECURITY_HEADERS : { ...SECURITY_HEADERS, connection: "close" };
    response.writeHead(status, { ...headers, "content-type": "application/json" }).end(JSON.stringify(body));
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = { EADDRINUSE: "is taken by another program", EACCES: "is one that only root may take" }[error.code ?? ""];
      reject(
        why === undefined
          ? error
          : new UsageError(`port ${port} ${why}: name another one, or leave out --port to take a free one`),
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${origin}/#token=${token}`,
    urlForBrowser: () => `${origin}/#code=${codes.create()}`,
    failed: overview.failed,
    async close() {
      ended.abort();
      events.closeAll();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await tasks.settled();
    },
  };
}

/** Needs a code instead of the token. */
const EXCHANGE = "/api/session";

/** The files of the page hold no data and need no token. */
function refusalIn(request: IncomingMessage, port: number, token: string): Refusal | undefined {
  const { method, headers } = request;
  const refusal = refusalOf({ method: method ?? "", headers }, port);
  const { pathname } = asked(request);
  const needsToken = pathname.startsWith("/api/") && !(method === "POST" && pathname === EXCHANGE);
  return refusal ?? (needsToken ? tokenRefusal({ headers }, token) : undefined);
}

function refuse(request: IncomingMessage, response: ServerResponse, { status, reason }: Refusal): void {
  request.resume();
  const headers = { ...SECURITY_HEADERS, "content-type": "application/json", connection: "close" };
  response.writeHead(status, headers).end(JSON.stringify({ error: reason }));
}
