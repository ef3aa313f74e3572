/** One side of a bridge on AWS: S3, Lambda and SQS, with the operator's own credentials. */
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { createAgent } from "../../runtime/http/agent";
import { type AwsCredentials, type AwsCredentialsProvider, cacheCredentials } from "../../runtime/http/sigv4";
import { toBridgeError } from "../../runtime/platforms/aws-lambda/errors";
import { decodeS3Key } from "../../runtime/protocol/events";
import { parseJson } from "../../runtime/protocol/json";
import { encodeLook } from "../../runtime/protocol/queue-messages";
import { BridgeError } from "../../runtime/stores/errors";
import { createS3Store } from "../../runtime/stores/s3/store";
import { chunks, forEachBounded } from "../concurrency";
import type {
  AwsAccess,
  DeadLetters,
  FunctionInvoker,
  HeldLooks,
  ParkedKey,
  ReadOptions,
  Redriven,
  RedriveOptions,
} from "../operated-bridge";
import { awsClientOptions } from "./aws-client";
import { readFunctionLog } from "./aws-logs";
import { openEventWays } from "./aws-ways";
import type { CloudSide, StoreOfSide, TakenLetter } from "./side";
import {
  deadLetters,
  errorMessageIn,
  functionFailed,
  heldLooks,
  keysOfDeadLetter,
  notJson,
  receiveAll,
  redriveQueue,
} from "./side";

export function openAwsSide(access: AwsAccess, { bucket, storageClass, kmsKeyArn }: StoreOfSide): CloudSide {
  const { region, endpoint, ca } = access;
  const dispatcher = createAgent({ ca });
  const functions = createLambdaInvoker(access);
  const queues = new SqsQueues(access);
  return {
    store: createS3Store({
      bucket,
      region,
      credentials: storeCredentials(access),
      endpoint,
      dispatcher,
      storageClass,
      kmsKeyArn,
    }),
    functions,
    deadLetters: (queueUrl, options) => queues.deadLetters(queueUrl, options),
    redrive: (queueUrl, options, hand) => queues.redrive(queueUrl, options, hand),
    enqueue: (queueUrl, keys, options) => queues.enqueue(queueUrl, keys, options),
    send: (queueUrl, messages, options) => queues.send(queueUrl, messages, options),
    held: (queueUrl, options) => queues.held(queueUrl, options),
    queued: (queueUrl, options) => queues.queued(queueUrl, options),
    log: (functionName, options) => readFunctionLog(access, functionName, options),
    keyLog: (functionName, key, options) => readFunctionLog(access, functionName, { ...options, key }),
    ways: (sender) => openEventWays(access, sender),
    async close() {
      await dispatcher.destroy();
      functions.close();
      queues.close();
    },
  };
}

/** The credentials of a provider of the SDK, for the store. */
export function storeCredentials({ credentials: given, region }: AwsAccess): AwsCredentialsProvider {
  return cacheCredentials(async (): Promise<AwsCredentials> => {
    const found = typeof given === "function" ? await given({ callerClientConfig: { region: async () => region } }) : given;
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = found;
    return { accessKeyId, secretAccessKey, sessionToken, expiresAt: expiration };
  });
}

/** Lambda ends a function after 900 s. */
const ANSWER_TIMEOUT_MS = 910_000;
const ACCEPTED = 202;

export interface LambdaInvoker extends FunctionInvoker {
  close(): void;
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
export function createLambdaInvoker(access: AwsAccess): LambdaInvoker {
  // No retries: a call whose answer got lost may have done its work. The caller decides whether to repeat it.
  const invoking = new LambdaClient({ ...awsClientOptions(access, ANSWER_TIMEOUT_MS), maxAttempts: 1 });
  const queueing = new LambdaClient(awsClientOptions(access));
  return {
    async invoke(functionName, payload, { signal } = {}) {
      const answer = await invoking
        .send(
          new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(payload)) }),
          httpOptions(signal),
        )
        .catch(failed("invoke", `the function ${functionName} could not be invoked`, signal));
      const body = parseJson(answer.Payload?.transformToString() ?? "");
      if (answer.FunctionError !== undefined) throw functionFailed(functionName, errorMessageIn(body));
      if (body === undefined) throw notJson(functionName);
      return body;
    },
    async invokeAsync(functionName, payload, { signal } = {}) {
      const { StatusCode } = await queueing
        .send(
          new InvokeCommand({ FunctionName: functionName, InvocationType: "Event", Payload: Buffer.from(payload) }),
          httpOptions(signal),
        )
        .catch(failed("invokeAsync", `the event for ${functionName} could not be stored`, signal));
      if (StatusCode !== ACCEPTED)
        throw new BridgeError("Unavailable", "invokeAsync", `${functionName} answered ${StatusCode}, not ${ACCEPTED}`);
    },
    close: () => {
      invoking.destroy();
      queueing.destroy();
    },
  };
}

const SQS_BATCH = 10;
/** How long a received message stays hidden from other readers. After a crash it becomes visible again by itself. */
const HIDDEN_SECONDS = 120;
/** A redrive hides letters that it leaves until it has read the queue. */
const REDRIVE_HIDDEN_SECONDS = 900;
/** With a wait above 0 SQS asks all of its servers before it answers that the queue is empty. */
const WAIT_SECONDS = 1;
const BATCHES_AT_ONCE = 8;

const QUEUED = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesDelayed",
  "ApproximateNumberOfMessagesNotVisible",
] as const;

interface QueueOptions {
  signal?: AbortSignal | undefined;
}

interface ReadQueue {
  queueUrl: string;
  /** For errors. */
  name: string;
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/ */
export class SqsQueues {
  private readonly client: SQSClient;

  constructor(access: AwsAccess) {
    this.client = new SQSClient(awsClientOptions(access));
  }

  /** Reads the queue and leaves every message in it. */
  async deadLetters(queueUrl: string, options: ReadOptions): Promise<DeadLetters> {
    const { messages, sawAll } = await this.readAll({ queueUrl, name: "the dead-letter queue" }, options);
    return deadLetters(messages.flatMap(readDeadLetter), { limit: options.limit, sawAll });
  }

  /** Reads the outage queue and leaves every message in it. The tick hides those that it probes with. */
  async held(queueUrl: string, options: ReadOptions): Promise<HeldLooks> {
    const queue = { queueUrl, name: "the outage queue" };
    const total = await this.count(queue, options);
    const { messages, sawAll } = await this.readAll(queue, options);
    const bodies = messages.map(({ Body = "" }) => Body);
    return heldLooks(bodies, { limit: options.limit, sawAll: sawAll && bodies.length >= total });
  }

  queued(queueUrl: string, options: QueueOptions): Promise<number> {
    return this.count({ queueUrl, name: "the work queue" }, options);
  }

  /** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html */
  private async count({ queueUrl, name }: ReadQueue, { signal }: QueueOptions): Promise<number> {
    const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...QUEUED] });
    const { Attributes = {} } = await this.client
      .send(command, httpOptions(signal))
      .catch(failed("count", `${name} cannot be read`, signal));
    return QUEUED.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
  }

  private async readAll(queue: ReadQueue, { limit, signal }: ReadOptions): Promise<{ messages: Message[]; sawAll: boolean }> {
    const seen = new Map<string, Message>();
    let sawAll = false;
    try {
      sawAll = await receiveAll(seen, { receive: () => this.receive(queue, signal), idOf, limit });
    } finally {
      await this.unhide(queue, [...seen.values()]);
    }
    return { messages: [...seen.values()], sawAll };
  }

  async redrive(
    queueUrl: string,
    options: RedriveOptions,
    hand: (letters: readonly string[]) => Promise<void>,
  ): Promise<Redriven> {
    const queue = { queueUrl, name: "the dead-letter queue" };
    const { signal } = options;
    return redriveQueue<TakenMessage>(
      {
        receive: async () => (await this.receive(queue, signal, REDRIVE_HIDDEN_SECONDS)).map(taken),
        remove: (letters) => this.remove(queue, letters, signal),
        giveBack: (letters) =>
          this.unhide(
            queue,
            letters.map(({ message }) => message),
          ),
      },
      options,
      hand,
    );
  }

  /** Puts messages into the work queue as they are. One at a time: several of the largest would be too large for one request. */
  async send(queueUrl: string, messages: readonly string[], { signal }: QueueOptions): Promise<void> {
    await forEachBounded(messages, { limit: BATCHES_AT_ONCE, signal }, async (MessageBody) => {
      await this.client
        .send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }), httpOptions(signal))
        .catch(failed("enqueue", "the letters could not be put into the work queue", signal));
    });
  }

  /** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html */
  private async remove(
    { queueUrl, name }: ReadQueue,
    letters: readonly TakenMessage[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const Entries = letters.map(({ message: { ReceiptHandle } }, index) => ({ Id: String(index), ReceiptHandle }));
    const { Failed = [] } = await this.client
      .send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }), httpOptions(signal))
      .catch(failed("remove", `letters that were handed over could not be removed from ${name}`, signal));
    if (Failed.length > 0)
      throw new BridgeError(
        "Unavailable",
        "remove",
        `${Failed.length} letters were handed over and could not be removed from ${name}: ${Failed[0]?.Code ?? "no reason given"}`,
      );
  }

  /** Puts an event for each key into the work queue. */
  async enqueue(queueUrl: string, keys: readonly string[], { nowMs, signal }: QueueOptions & { nowMs: number }): Promise<void> {
    await forEachBounded(chunks(keys, SQS_BATCH), { limit: BATCHES_AT_ONCE, signal }, async (chunk) => {
      const Entries = chunk.map((key, index) => ({
        Id: String(index),
        MessageBody: encodeLook({ key, failures: 0, firstSeenMs: nowMs }),
      }));
      const { Failed = [] } = await this.client
        .send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }), httpOptions(signal))
        .catch(failed("enqueue", "the keys could not be put into the work queue", signal));
      const [first] = Failed;
      if (first !== undefined)
        throw new BridgeError(
          first.SenderFault === true ? "Invalid" : "Unavailable",
          "enqueue",
          `${Failed.length} of ${chunk.length} keys could not be put into the work queue: ${first.Code ?? "no reason given"}`,
        );
    });
  }

  close(): void {
    this.client.destroy();
  }

  private async receive(
    { queueUrl, name }: ReadQueue,
    signal: AbortSignal | undefined,
    hiddenSeconds = HIDDEN_SECONDS,
  ): Promise<Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: SQS_BATCH,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["SentTimestamp"],
      VisibilityTimeout: hiddenSeconds,
      WaitTimeSeconds: WAIT_SECONDS,
    });
    const { Messages = [] } = await this.client
      .send(command, httpOptions(signal))
      .catch(failed("receive", `${name} cannot be read`, signal));
    return Messages;
  }

  /** Takes no signal: the messages become visible again also after an interruption. */
  private async unhide({ queueUrl, name }: ReadQueue, messages: readonly Message[]): Promise<void> {
    for (const chunk of chunks(messages, SQS_BATCH)) {
      const Entries = chunk.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 }));
      const { Failed = [] } = await this.client
        .send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }))
        .catch(failed("unhide", `messages of ${name} could not be given back and stay hidden for ${HIDDEN_SECONDS} s`));
      // Another reader may have removed a message meanwhile: SQS then blames the sender.
      const hidden = Failed.filter(({ SenderFault }) => SenderFault !== true);
      if (hidden.length > 0)
        throw new BridgeError(
          "Unavailable",
          "unhide",
          `${hidden.length} messages of ${name} stay hidden for ${HIDDEN_SECONDS} s`,
        );
    }
  }
}

const httpOptions = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal });

const failed = (op: string, what: string, signal?: AbortSignal) => (cause: unknown) => {
  signal?.throwIfAborted();
  throw toBridgeError(op, what, cause);
};

const idOf = ({ MessageId = "" }: Message): string => MessageId;

interface TakenMessage extends TakenLetter {
  message: Message;
}

const taken = (message: Message): TakenMessage => ({
  ...{ id: idOf(message), text: message.Body ?? "", letters: readDeadLetter(message), message },
});

function readDeadLetter({ Body = "", MessageAttributes = {}, Attributes = {} }: Message): ParkedKey[] {
  const text = (name: string) => MessageAttributes[name]?.StringValue;
  const key = text("Key");
  return keysOfDeadLetter({
    body: Body,
    // Written by runtime/platforms/aws-lambda/queues.ts.
    key: key === undefined ? undefined : decodeS3Key(key),
    reason: text("Reason"),
    parkedAt: text("ParkedAt"),
    storedAt: Attributes.SentTimestamp === undefined ? undefined : new Date(Number(Attributes.SentTimestamp)),
  });
}
