/** A fake of the jobs API of S3 Control on loopback. It checks its requests, and a script gives the states of a job. */
import { createServer, Agent as HttpAgent, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { S3ControlClient } from "@aws-sdk/client-s3-control";

export interface ControlRequest {
  method: string;
  path: string;
  host: string;
  accountId: string;
  body: string;
}

export interface ScriptedJob {
  status: string;
  total?: number;
  succeeded?: number;
  failed?: number;
  failure?: { code: string; reason: string };
}

export interface LoopbackControl {
  client: S3ControlClient;
  requests: ControlRequest[];
  /** One entry for each `DescribeJob`; the last one stays. */
  script: ScriptedJob[];
  /** Errors that are answered before the script, each once. */
  refusals: { status: number; code: string; message: string }[];
  /** Tokens of the jobs that were created, in the order of their ids. */
  tokens: string[];
  close(): Promise<void>;
}

const NAMESPACE = "http://awss3control.amazonaws.com/doc/2018-08-20/";

export async function startControl(): Promise<LoopbackControl> {
  const requests: ControlRequest[] = [];
  const script: ScriptedJob[] = [];
  const refusals: LoopbackControl["refusals"] = [];
  const tokens: string[] = [];
  let looks = 0;

  const answer = (request: ControlRequest): [number, string] => {
    const refusal = refusals.shift();
    if (refusal !== undefined) {
      const { status, code, message } = refusal;
      return [status, `<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`];
    }
    const { method, path, body } = request;
    if (method === "POST" && path === "/v20180820/jobs") {
      const token = /<ClientRequestToken>([^<]+)</.exec(body)?.[1] ?? "";
      if (!tokens.includes(token)) tokens.push(token);
      return [200, `<CreateJobResult xmlns="${NAMESPACE}"><JobId>job-${tokens.indexOf(token)}</JobId></CreateJobResult>`];
    }
    const jobId = /^\/v20180820\/jobs\/([\w-]+)/.exec(path)?.[1] ?? "";
    if (method === "GET") {
      const job = script[Math.min(looks++, script.length - 1)] ?? { status: "New" };
      return [200, described(jobId, job)];
    }
    return [
      200,
      `<UpdateJobStatusResult xmlns="${NAMESPACE}"><JobId>${jobId}</JobId><Status>Ready</Status></UpdateJobStatusResult>`,
    ];
  };

  const server = createServer((incoming, outgoing) => {
    void read(incoming).then((request) => {
      requests.push(request);
      const [status, xml] = answer(request);
      outgoing.writeHead(status, { "content-type": "application/xml" });
      outgoing.end(`<?xml version="1.0" encoding="UTF-8"?>${xml}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  // The client puts the account's id before the host, so every name must resolve to this server.
  const httpAgent = new HttpAgent({
    lookup: (_host, options, callback) =>
      options.all ? callback(null, [{ address: "127.0.0.1", family: 4 }]) : callback(null, "127.0.0.1", 4),
  });
  const client = new S3ControlClient({
    region: "us-east-1",
    endpoint: `http://s3-control.test:${port}`,
    credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" },
    maxAttempts: 1,
    requestHandler: { httpAgent },
  });
  return {
    client,
    requests,
    script,
    refusals,
    tokens,
    close: async () => {
      client.destroy();
      httpAgent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(incoming: IncomingMessage): Promise<ControlRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { method = "", url = "", headers } = incoming;
  return {
    method,
    path: url,
    host: (headers.host ?? "").replace(/:\d+$/, ""),
    accountId: String(headers["x-amz-account-id"]),
    body: Buffer.concat(chunks).toString(),
  };
}

function described(jobId: string, { status, total = 0, succeeded = 0, failed = 0, failure }: ScriptedJob): string {
  const reasons =
    failure === undefined
      ? ""
      : `<FailureReasons><member><FailureCode>${failure.code}</FailureCode><FailureReason>${failure.reason}</FailureReason></member></FailureReasons>`;
  const progress = `<ProgressSummary><TotalNumberOfTasks>${total}</TotalNumberOfTasks><NumberOfTasksSucceeded>${succeeded}</NumberOfTasksSucceeded><NumberOfTasksFailed>${failed}</NumberOfTasksFailed></ProgressSummary>`;
  return `<DescribeJobResult xmlns="${NAMESPACE}"><Job><JobId>${jobId}</JobId><Status>${status}</Status>${progress}${reasons}</Job></DescribeJobResult>`;
}
