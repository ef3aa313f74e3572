/** Simple Message Queue (formerly MNS). https://www.alibabacloud.com/help/en/mns/ */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { conditionsOf, openListener, readBody, type Served, type Tls } from "../api/http";
import { rpcApi } from "../api/rpc-api";
import { ApiError, type ApiHandler, type CallRecord, type MessageService, type QueueSpec, type Ram } from "../contracts";
import { authenticate, MNS_VERSION } from "./authenticate";
import { queueApi } from "./control-api";
import { findOperation, type MessageAnswer } from "./operations";
import { Queue } from "./queue";
import { assertQueueSpec } from "./queue-spec";
import { mnsDocument } from "./xml";

export interface MessageServiceOptions {
  accountId: string;
  ram: Pick<Ram, "find" | "authorize">;
  tls: Tls;
  regions: readonly string[];
  /** By region. @default free ports */
  ports?: Record<string, number | undefined>;
  /** Ms since the epoch. @default the system's clock */
  now?: () => number;
  onCall?: (call: CallRecord) => void;
  /** Called for unexpected errors. @default prints them */
  onFailure?: (error: unknown, requestId: string) => void;
}

export interface LocalMessageService extends MessageService {
  /** `https://localhost:PORT` by region. */
  readonly origins: Readonly<Record<string, string>>;
  /** The control API, version 2022-01-19. */
  readonly api: ApiHandler;
  /** Closes open connections, including long polls. */
  stop(): Promise<void>;
}

/** Enough for the largest message with every character escaped. */
const MAX_DOCUMENT_BYTES = 512 * 1024;

/** Queues live in memory and end with the process. */
export async function createMessageService(options: MessageServiceOptions): Promise<LocalMessageService> {
  const { regions, tls, now = Date.now } = options;
  const queues = new Map<string, Queue>();
  const keyOf = (region: string, queueName: string) => `${region}/${queueName}`;
  const existing = (region: string, queueName: string): Queue => {
    const queue = queues.get(keyOf(region, queueName));
    if (queue === undefined) throw new ApiError(404, "QueueNotExist", "The queue name you provided is not exist.");
    return queue;
  };
  const onFailure =
    options.onFailure ?? ((error: unknown, requestId: string) => console.error(`local SMQ: request ${requestId} failed:`, error));

  const serve = (region: string) =>
    openListener(
      tls,
      (request, response) => {
        const requestId = randomBytes(12).toString("hex").toUpperCase();
        const answer = (answered: MessageAnswer) => reply(response, requestId, answered);
        handle(request, response, region)
          .then(answer)
          .catch((error: unknown) => {
            // The client has disconnected.
            if (request.socket.destroyed) return;
            if (!(error instanceof ApiError)) onFailure(error, requestId);
            answer(refusal(error, requestId, region));
          })
          .catch((error: unknown) => {
            // Not even the refusal can be sent. That ends this connection, not the process.
            onFailure(error, requestId);
            response.destroy();
          });
      },
      options.ports?.[region],
    );

  const handle = async (request: IncomingMessage, response: ServerResponse, region: string): Promise<MessageAnswer> => {
    const { method = "GET", url = "/", headers } = request;
    const body = await readBody(request, response, MAX_DOCUMENT_BYTES);
    const principal = authenticate({ method, url, headers, body }, options.ram, now());
    const operation = findOperation({ method, url, body });
    const resource = `acs:mns:${region}:${options.accountId}:${operation.resource}`;
    const conditions = conditionsOf(request, now());
    const allowed = options.ram.authorize(principal, operation.action, resource, { conditions }) === "allow";
    options.onCall?.({ principal, action: operation.action, resource, allowed });
    if (!allowed)
      throw new ApiError(
        403,
        "AccessDenied",
        "The OwnerId that your Access Key Id associated to is forbidden for this operation.",
      );
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    return operation.run(existing(region, operation.queueName), gone.signal);
  };

  const served: [string, Served][] = [];
  const stop = async () => {
    await Promise.all(served.map(([, { close }]) => close()));
  };
  try {
    for (const region of regions) served.push([region, await serve(region)]);
  } catch (error) {
    await stop();
    throw error;
  }

  const service: MessageService = {
    createQueue: (region, queue) => {
      assertQueueSpec(queue);
      const key = keyOf(region, queue.queueName);
      if (queues.has(key)) throw new ApiError(409, "QueueAlreadyExist", "The queue you want to create is already exist.");
      queues.set(key, new Queue({ ...queue }, now));
    },
    getQueue: (region, queueName) => {
      const queue = queues.get(keyOf(region, queueName));
      return queue === undefined ? undefined : { ...queue.spec };
    },
    updateQueue: (region, queueName, changes) => {
      const queue = existing(region, queueName);
      const spec: QueueSpec = { ...queue.spec, ...changes, queueName };
      assertQueueSpec(spec);
      queue.configure(spec);
    },
    deleteQueue: (region, queueName) => {
      existing(region, queueName);
      queues.delete(keyOf(region, queueName));
    },
    send: (region, queueName, body) => {
      const queue = existing(region, queueName);
      const { maximumMessageSize } = queue.spec;
      if (body.byteLength > maximumMessageSize)
        throw new ApiError(400, "MessageTooLong", `The message has ${body.byteLength} bytes; ${maximumMessageSize} are allowed.`);
      return { messageId: queue.send(body.toString("utf8")).messageId };
    },
    messages: (region, queueName) =>
      existing(region, queueName)
        .all()
        .map(({ messageId, body, enqueuedAt }) => ({ messageId, body, enqueuedAt })),
  };
  const api = queueApi({
    accountId: options.accountId,
    messages: service,
    find: (region, queueName) => queues.get(keyOf(region, queueName)),
    queueNames: (region) => {
      const inRegion = [...queues.keys()].filter((key) => key.startsWith(`${region}/`));
      return inRegion.map((key) => key.slice(region.length + 1)).sort();
    },
  });
  return {
    ...service,
    origins: Object.fromEntries(served.map(([region, { origin }]) => [region, origin])),
    api: rpcApi(api),
    stop,
  };
}

function refusal(error: unknown, requestId: string, region: string): MessageAnswer {
  const [status, code, message] =
    error instanceof ApiError ? [error.status, error.code, error.message] : [500, "InternalError", "Internal error."];
  const document = mnsDocument("Error", {
    Code: code,
    Message: message,
    RequestId: requestId,
    HostId: `mns.${region}.aliyuncs.com`,
  });
  return { status, document };
}

function reply(response: ServerResponse, requestId: string, { status, document }: MessageAnswer): void {
  response.writeHead(status, {
    server: "AliyunMQS",
    "x-mns-request-id": requestId,
    "x-mns-version": MNS_VERSION,
    ...(document === undefined
      ? {}
      : { "content-type": "text/xml;charset=utf-8", "content-length": Buffer.byteLength(document) }),
  });
  response.end(document);
}
