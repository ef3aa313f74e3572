/**
 * `npm start -- --redeploy`: lets the `npm start` that runs deploy its stack once more. The engine, the clouds and their secrets are in that process, which
 * listens for it on the loopback address. Its file for the operator's command has the address and the token.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as z from "zod";
import { createToken, tokenRefusal } from "../../operator/watch/guard";
import { parseJson } from "../../runtime/protocol/json";
import type { ChangeSummary } from "../engine";
import type { LocalStack } from "../local-stack";
import { type RedeployAddress, readRunning } from "./operator-file";

export interface ServedRedeploys extends RedeployAddress {
  close(): Promise<void>;
}

/** Each line of an answer. The last one has `changes` or `error`. */
type AnswerLine = { line: string } | { changes: ChangeSummary } | { error: string };

export interface RedeployServerOptions {
  redeploy: LocalStack["redeploy"];
  /** Calls the listener with each line of the engine. @returns a function that ends this */
  onEngineLine(listener: (line: string) => void): () => void;
}

/** One redeployment at a time. It goes on if the one who asked for it goes away. */
export async function serveRedeploys({ redeploy, onEngineLine }: RedeployServerOptions): Promise<ServedRedeploys> {
  const token = createToken();
  let running: Promise<void> | undefined;
  const run = async (response: ServerResponse) => {
    const send = (line: AnswerLine) => response.write(`${JSON.stringify(line)}\n`);
    const silence = onEngineLine((line) => send({ line }));
    try {
      send({ changes: await redeploy() });
    } catch (error) {
      send({ error: error instanceof Error ? error.message : String(error) });
    } finally {
      silence();
      running = undefined;
      response.end();
    }
  };
  const server = createServer((request, response) => {
    request.resume();
    // The one who asked may be gone.
    response.on("error", () => undefined);
    const refusal = refusalOf(request, token) ?? (running && { status: 409, reason: "a redeployment runs already" });
    if (refusal !== undefined) {
      response.writeHead(refusal.status, { connection: "close" }).end(`${JSON.stringify({ error: refusal.reason })}\n`);
      return;
    }
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    running = run(response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/redeploy`,
    token,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await running;
    },
  };
}

/** No web page may ask: a browser sends an Origin with every POST, and does not know the token. */
function refusalOf(request: IncomingMessage, token: string): { status: number; reason: string } | undefined {
  if (request.method !== "POST" || request.url !== "/redeploy") return { status: 404, reason: "the server has no such path" };
  if (request.headers.origin !== undefined) return { status: 403, reason: "requests of web pages are not served" };
  return tokenRefusal(request, token);
}

const addressSchema = z.object({ redeploy: z.object({ url: z.url(), token: z.string() }) });

/** @throws Error that says how to start the stack, if it does not run */
export async function findRedeploy(stack: string, folder?: string): Promise<RedeployAddress> {
  const session = addressSchema.safeParse(await readRunning(stack, folder));
  if (session.success) return session.data.redeploy;
  throw new Error(`the stack ${stack} does not run on this machine; start it first: npm start -- --stack ${stack}`);
}

/** @throws Error with the last lines of the engine, if the deployment fails */
export async function askForRedeploy(
  { url, token }: RedeployAddress,
  { onLine, signal }: { onLine(line: string): void; signal: AbortSignal },
): Promise<ChangeSummary> {
  const response = await fetch(url, { method: "POST", headers: { authorization: `Bearer ${token}` }, signal });
  if (response.body === null) throw new Error(`the running stack answered ${response.status} without a word`);
  for await (const text of linesOf(response.body as unknown as AsyncIterable<Uint8Array>)) {
    const answer = parseJson(text) as AnswerLine;
    if ("error" in answer) throw new Error(answer.error);
    if ("changes" in answer) return answer.changes;
    onLine(answer.line);
  }
  throw new Error("npm start ended before the redeployment did; its own output says why");
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of body) {
    const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** `1 created, 2 updated, 60 the same`. */
export function changesText(changes: ChangeSummary): string {
  const words: [keyof ChangeSummary, string][] = [
    ["create", "created"],
    ["update", "updated"],
    ["replace", "replaced"],
    ["delete", "deleted"],
    ["same", "the same"],
  ];
  return words.flatMap(([kind, word]) => (changes[kind] ? [`${changes[kind]} ${word}`] : [])).join(", ");
}
