/** One side of a bridge on AWS: S3, Lambda and SQS, with the operator's own credentials. */
import { Agent } from "node:https";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  ChangeMessageVisibilityBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { toBridgeError } from "../../runtime/platforms/aws-lambda/errors";
import { decodeS3Key } from "../../runtime/protocol/events";
import { parseJson } from "../../runtime/protocol/json";
import { encodeLook } from "../../runtime/protocol/queue-messages";
import { BridgeError } from "../../runtime/stores/errors";
import { createS3Client } from "../../runtime/stores/s3/client";
import { createS3Store } from "../../runtime/stores/s3/store";
import { chunks, forEachBounded } from "../concurrency";
import type { AwsAccess, DeadLetters, FunctionInvoker, ParkedKey } from "../operated-bridge";
import type { CloudSide, StoreOfSide } from "./side";
import { deadLetters, errorMessageIn, functionFailed, keysOfDeadLetter, notJson, receiveAll } from "./side";

export function openAwsSide(access: AwsAccess, { bucket, storageClass, kmsKeyArn }: StoreOfSide): CloudSide {
  const { region, credentials, endpoint, ca } = access;
  const client = createS3Client({
    region,
    credentials,
    endpoint,
    ca,
  });
  const functions = createLambdaInvoker(access);
  const queues = new SqsQueues(access);
  return {
    store: createS3Store({
      client,
      bucket,
      storageClass,
      kmsKeyArn,
    }),
    functions,
    deadLetters: (queueUrl, options) => queues.deadLetters(queueUrl, options),
    enqueue: (queueUrl, keys, options) => queues.enqueue(queueUrl, keys, options),
    async close() {
      client.destroy();
      functions.close();
      queues.close();
    },
  };
}

const CONNECTION_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 60_000;

/**
 * Options of any client of the AWS SDK.
 * @param idleMs the longest wait for the next byte of an answer
 */
export function awsClientOptions({ region, credentials, endpoint, ca }: AwsAccess, idleMs = IDLE_TIMEOUT_MS) {
  return {
    region,
    credentials,
    ...(endpoint === undefined ? {} : { endpoint }),
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: idleMs,
      httpsAgent: new Agent({ keepAlive: true, maxSockets: 64, ...(ca === undefined ? {} : { ca }) }),
    },
  };
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
/** With a wait above 0 SQS asks all of its servers before it answers that the queue is empty. */
const WAIT_SECONDS = 1;
const BATCHES_AT_ONCE = 8;

interface QueueOptions {
  signal?: AbortSignal | undefined;
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/ */
export class SqsQueues {
  private readonly client: SQSClient;

  constructor(access: AwsAccess) {
    this.client = new SQSClient(awsClientOptions(access));
  }

  /** Reads the queue and leaves every message in it. */
  async deadLetters(queueUrl: string, { limit, signal }: QueueOptions & { limit: number }): Promise<DeadLetters> {
    const seen = new Map<string, Message>();
    let sawAll = false;
    try {
      sawAll = await receiveAll(seen, { receive: () => this.receive(queueUrl, signal), idOf, limit });
    } finally {
      await this.unhide(queueUrl, [...seen.values()]);
    }
    return deadLetters([...seen.values()].flatMap(readDeadLetter), { limit, sawAll });
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

  private async receive(queueUrl: string, signal: AbortSignal | undefined): Promise<Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: SQS_BATCH,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["SentTimestamp"],
      VisibilityTimeout: HIDDEN_SECONDS,
      WaitTimeSeconds: WAIT_SECONDS,
    });
    const { Messages = [] } = await this.client
      .send(command, httpOptions(signal))
      .catch(failed("deadLetters", "the dead-letter queue cannot be read", signal));
    return Messages;
  }

  /** Takes no signal: the messages become visible again also after an interruption. */
  private async unhide(queueUrl: string, messages: readonly Message[]): Promise<void> {
    for (const chunk of chunks(messages, SQS_BATCH)) {
      const Entries = chunk.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 }));
      const { Failed = [] } = await this.client
        .send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }))
        .catch(failed("deadLetters", `dead letters could not be given back and stay hidden for ${HIDDEN_SECONDS} s`));
      // Another reader may have removed a message meanwhile: SQS then blames the sender.
      const hidden = Failed.filter(({ SenderFault }) => SenderFault !== true);
      if (hidden.length > 0)
        throw new BridgeError("Unavailable", "deadLetters", `${hidden.length} dead letters stay hidden for ${HIDDEN_SECONDS} s`);
    }
  }
}

const httpOptions = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal });

const failed = (op: string, what: string, signal?: AbortSignal) => (cause: unknown) => {
  signal?.throwIfAborted();
  throw toBridgeError(op, what, cause);
};

const idOf = ({ MessageId = "" }: Message): string => MessageId;

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
