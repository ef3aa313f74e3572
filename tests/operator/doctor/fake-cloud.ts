/** A fake cloud on loopback: an answer for each operation, as the vendor documents it. A test plants a fault by replacing one. */
import type { ServerResponse } from "node:http";
import { type SeenRequest, startHttps, type TestServer } from "../../runtime/support/https-server";

export interface Answer {
  status?: number;
  /** An object is sent as JSON. */
  body?: string | object;
  headers?: Record<string, string>;
}

export type Answers = Record<string, Answer | ((request: SeenRequest) => Answer)>;

export interface FakeCloud {
  server: TestServer;
  /** By the name of the operation. */
  answers: Answers;
  /** Operations that were asked for, in order. */
  readonly asked: string[];
}

/** @param operationOf names the operation of a request */
export async function startFake(answers: Answers, operationOf: (request: SeenRequest) => string): Promise<FakeCloud> {
  const asked: string[] = [];
  const server = await startHttps((request, response) => {
    const operation = operationOf(request);
    asked.push(operation);
    const answer = answers[operation];
    if (answer === undefined) send(response, { status: 501, body: `the fake has no answer to ${operation}` });
    else send(response, typeof answer === "function" ? answer(request) : answer);
  });
  return { server, answers, asked };
}

function send(response: ServerResponse, { status = 200, body = "", headers = {} }: Answer): void {
  const isText = typeof body === "string";
  response
    .writeHead(status, { "content-type": isText ? "application/xml" : "application/json", ...headers })
    .end(isText ? body : JSON.stringify(body));
}

/** The document of a refusal of S3 and OSS. */
export const refusal = (status: number, code: string, more = ""): Answer => ({
  status,
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>refused</Message>${more}</Error>`,
});
