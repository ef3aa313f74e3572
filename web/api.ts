/** Talks to the server of the page. The token comes with the address, after `#`, and stays in this tab. */
import type { Remedy } from "../operator/overview/remedies";
import type { Snapshot } from "../operator/overview/snapshot";
import type { KeyStatus } from "../operator/status/read-status";
import type { Hello } from "../operator/watch/server";
import type { TaskInput, TaskState } from "../operator/watch/tasks";
import type { Verified } from "../operator/watch/verify-task";

export type { Hello, KeyStatus, Remedy, Snapshot, TaskInput, TaskState, Verified };
export type ShownStatus = KeyStatus & { remedy?: Remedy };

const STORED = "token";

/** Takes the token, or the code for it, out of the address, so that it is in no history and no screenshot. */
async function takeToken(): Promise<string> {
  const [, kind, given] = /^#(token|code)=([\w-]+)$/.exec(location.hash) ?? [];
  if (given !== undefined) {
    history.replaceState(null, "", location.pathname);
    const token = kind === "token" ? given : await exchanged(given);
    if (token !== undefined) sessionStorage.setItem(STORED, token);
  }
  return sessionStorage.getItem(STORED) ?? "";
}

/** Undefined for a code that was used before. */
async function exchanged(code: string): Promise<string | undefined> {
  const asked = fetch("/api/session", { method: "POST", headers: { authorization: `Bearer ${code}` } });
  const response = await asked.catch(() => undefined);
  return response?.ok ? ((await response.json()) as { token: string }).token : undefined;
}

const taken = takeToken();
const ownHeaders = async () => ({ authorization: `Bearer ${await taken}` });

/** The server refuses the token: it is of another run, or there is none. */
export class TokenRefused extends Error {}

export async function call<T>(method: string, path: string, body?: File | object): Promise<T> {
  const headers = await ownHeaders();
  const type = body instanceof File ? body.type || "application/octet-stream" : "application/json";
  const response = await fetch(path, {
    method,
    headers: body ? { ...headers, "content-type": type } : headers,
    ...(body ? { body: body instanceof File ? body : JSON.stringify(body) } : {}),
  });
  if (response.status === 401) throw new TokenRefused();
  const answer = (await response.json()) as T & { error?: string };
  if (!response.ok) throw new Error(answer.error ?? `HTTP ${response.status}`);
  return answer;
}

export const statusOf = (key: string) => call<ShownStatus>("GET", `/api/key?key=${encodeURIComponent(key)}`);
export const putFile = (key: string, file: File) =>
  call<{ key: string }>("PUT", `/api/objects?key=${encodeURIComponent(key)}`, file);
export const refresh = () => call("POST", "/api/refresh");
export const startTask = (name: string, input: TaskInput = {}) => call("POST", `/api/tasks/${name}`, input);
export const cancelTask = (name: string) => call("DELETE", `/api/tasks/${name}`);

/** As one word of a shell. */
export const quoted = (text: string): string => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** A command for the bridge, to be run in a shell. */
export const commandFor = (command: string, hello: Pick<Hello, "stack" | "local" | "command">): string =>
  `${hello.command} ${command} --stack ${quoted(hello.stack)}${hello.local ? " --local" : ""}`;

export interface Events {
  hello(hello: Hello): void;
  snapshot(snapshot: Snapshot): void;
  tasks(tasks: TaskState[]): void;
  /** Whether the stream is open. */
  connected(isConnected: boolean): void;
  refused(): void;
}

const RECONNECT_MS = 2_000;

/** Reads the stream of events, and opens it again when it ends. `EventSource` cannot send the token in a header. */
export async function follow(events: Events, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await fetch("/api/events", { headers: await ownHeaders(), signal });
      if (response.status === 401) return events.refused();
      events.connected(true);
      await readEvents(response, events);
    } catch {
      // The server is gone, or not there yet.
    }
    if (signal.aborted) return;
    events.connected(false);
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
}

async function readEvents({ body }: Response, events: Events): Promise<void> {
  if (body === null) return;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const texts = (rest + part.value).split("\n\n");
    rest = texts.pop() ?? "";
    for (const text of texts) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(text) ?? [];
      if (data === undefined) continue;
      if (event === "hello") events.hello(JSON.parse(data) as Hello);
      if (event === "snapshot") events.snapshot(JSON.parse(data) as Snapshot);
      if (event === "tasks") events.tasks(JSON.parse(data) as TaskState[]);
    }
  }
}
