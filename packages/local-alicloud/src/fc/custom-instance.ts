/** Custom runtimes. https://www.alibabacloud.com/help/en/functioncompute/fc/principles-1 */
import { randomBytes } from "node:crypto";
import { Agent, type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import type { CustomRuntimeConfig } from "../contracts";
import { FunctionProcess, heapFlag } from "./function-process";
import {
  type Answer,
  exited,
  type FunctionInstance,
  failure,
  type InstanceOptions,
  type Outcome,
  type Task,
  timedOut,
} from "./instance";

const NETWORK = join(__dirname, "custom-network.cjs");
/** A server must listen within this time. */
const START_MS = 120_000;

/** A process with an HTTP server of its own. It runs several invocations at the same time. */
export class CustomInstance implements FunctionInstance {
  private readonly process: FunctionProcess;
  private readonly agent = new Agent({ keepAlive: true });
  /** By it the process knows its parent's requests. */
  private readonly secret = randomBytes(32).toString("hex");
  private readonly started: Promise<number | Answer>;
  /** Ends every invocation that runs. */
  private readonly stopping = new AbortController();

  constructor(
    private readonly options: InstanceOptions,
    { args, port }: CustomRuntimeConfig,
  ) {
    let onStart: (outcome: number | Answer) => void = () => {};
    this.started = new Promise((resolve) => {
      onStart = resolve;
    });
    const startedAt = performance.now();
    const refuse = (errorMessage: string) => {
      onStart(failure("UnhandledInvocationError", errorMessage));
      this.kill();
    };
    const late = setTimeout(() => refuse(`FunctionNotStarted: no server listens on port ${port} after ${START_MS} ms`), START_MS);
    this.process = new FunctionProcess({
      ...options,
      args: [heapFlag(options.memorySize), "--require", NETWORK, ...args],
      environment: { ...options.environment, LOCAL_FC_INSTANCE_PORT: String(port), LOCAL_FC_INSTANCE_SECRET: this.secret },
      onMessage: (message) => {
        const said = message as { port?: number; refused?: string };
        clearTimeout(late);
        if (said.port !== undefined) onStart(said.port);
        else refuse(`FunctionNotStarted: ${said.refused}`);
      },
      onLine: (line) => options.log.push(line),
      onStdoutEnd: () => {},
      onClose: () => {
        clearTimeout(late);
        onStart(exited(startedAt));
        this.stopping.abort();
        this.agent.destroy();
      },
    });
  }

  get ended(): Promise<void> {
    return this.process.ended;
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get usable(): boolean {
    return this.process.usable;
  }

  /** The log of one invocation cannot be told from that of another: the answer has none. */
  async run(task: Task): Promise<Outcome> {
    const startedAt = performance.now();
    const started = await this.started;
    if (typeof started !== "number") return { ...started, logTail: "" };
    const timeout = AbortSignal.timeout(this.options.timeoutSeconds * 1000);
    try {
      const answer = await this.post(task, started, AbortSignal.any([timeout, this.stopping.signal]));
      return { ...answer, logTail: "" };
    } catch {
      // The documentation does not say what a timeout does to the other invocations of the instance. Here it ends them as well.
      this.kill();
      return { ...(timeout.aborted ? timedOut(this.options.timeoutSeconds) : exited(startedAt)), logTail: "" };
    }
  }

  kill(): void {
    this.process.kill();
  }

  private post(task: Task, port: number, signal: AbortSignal): Promise<Answer> {
    const { agent } = this;
    return new Promise((resolve, reject) => {
      const headers = { ...headersOf(task), "x-local-fc-instance": this.secret, "content-length": task.event.length };
      const call = request({ host: "127.0.0.1", port, path: "/invoke", method: "POST", headers, agent, signal }, (response) => {
        answerOf(response).then(resolve, reject);
      });
      call.on("error", reject).end(task.event);
    });
  }
}

/** https://www.alibabacloud.com/help/en/functioncompute/fc/context-and-log-format-1 */
function headersOf({ requestId, retryCount, context }: Task): Record<string, string> {
  const { credentials } = context;
  return {
    "content-type": "application/octet-stream",
    "x-fc-control-path": "/invoke",
    "x-fc-request-id": requestId,
    "x-fc-retry-count": String(retryCount),
    "x-fc-function-name": context.function.name,
    "x-fc-function-handler": context.function.handler,
    "x-fc-function-memory": String(context.function.memory),
    "x-fc-region": context.region,
    "x-fc-account-id": context.accountId,
    "x-fc-qualifier": context.service.qualifier,
    "x-fc-version-id": context.service.versionId,
    "x-fc-service-logproject": context.service.logProject,
    "x-fc-service-logstore": context.service.logStore,
    "x-fc-access-key-id": credentials?.accessKeyId ?? "",
    "x-fc-access-key-secret": credentials?.accessKeySecret ?? "",
    "x-fc-security-token": credentials?.securityToken ?? "",
  };
}

/** The header `x-fc-status` says whether the function succeeded. */
async function answerOf(response: IncomingMessage): Promise<Answer> {
  const payload = Buffer.concat(await response.toArray());
  const { "x-fc-status": status = "200" } = response.headers;
  return status === "200" ? { payload } : { payload, errorType: "UnhandledInvocationError" };
}
