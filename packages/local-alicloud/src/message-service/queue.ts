import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { ApiError, type QueueSpec } from "../contracts";
import { assertBetween } from "./queue-spec";

export interface Message {
  messageId: string;
  body: string;
  /** MD5 of the body in UTF-8, as upper-case hex. */
  bodyMd5: string;
  /** 1 is delivered first, 16 last. */
  priority: number;
  /** Ms since the epoch, like all times here. */
  enqueuedAt: number;
  /** Not received before this time: it is delayed, or another consumer has it. */
  visibleAt: number;
  /** 0 before it is received for the first time. */
  firstDequeuedAt: number;
  dequeueCount: number;
  /** The handle of the latest receive. Earlier handles are invalid. */
  receiptHandle: string;
}

const DEFAULT_PRIORITY = 8;
const MAX_DELAY_SECONDS = 604_800;
const RECEIPT_HANDLE = /^[0-9A-F]{16}-[0-9a-f]{32}$/;
/** The longest delay of setTimeout. A longer wait is split. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A queue in memory. https://www.alibabacloud.com/help/en/mns/user-guide/queues */
export class Queue {
  readonly createdAt: number;
  private updatedAt: number;
  private settings: QueueSpec;
  private readonly kept = new Map<string, Message>();
  private readonly changes = new EventTarget();
  private readonly now: () => number;

  constructor(spec: QueueSpec, now: () => number) {
    this.settings = spec;
    this.now = now;
    this.createdAt = now();
    this.updatedAt = this.createdAt;
  }

  get spec(): Readonly<QueueSpec> {
    return this.settings;
  }

  get lastModifiedAt(): number {
    return this.updatedAt;
  }

  configure(spec: QueueSpec): void {
    this.settings = spec;
    this.updatedAt = this.now();
    this.announce();
  }

  /** @throws ApiError 400 `InvalidArgument` */
  send(body: string, { delaySeconds = this.settings.delaySeconds, priority = DEFAULT_PRIORITY } = {}): Message {
    assertBetween("MessageBody", Buffer.byteLength(body), 1, this.settings.maximumMessageSize);
    assertBetween("DelaySeconds", delaySeconds, 0, MAX_DELAY_SECONDS);
    assertBetween("Priority", priority, 1, 16);
    const now = this.now();
    const messageId = `${randomBytes(8).toString("hex").toUpperCase()}-1-${now.toString(16).toUpperCase()}-${randomBytes(4).toString("hex").toUpperCase()}`;
    const message: Message = {
      messageId,
      body,
      bodyMd5: createHash("md5").update(body, "utf8").digest("hex").toUpperCase(),
      priority,
      enqueuedAt: now,
      visibleAt: now + delaySeconds * 1000,
      firstDequeuedAt: 0,
      dequeueCount: 0,
      receiptHandle: newHandle(messageId),
    };
    this.kept.set(messageId, message);
    this.announce();
    return message;
  }

  /** All messages within their retention, oldest first, also those that cannot be received now. */
  all(): Message[] {
    const oldest = this.now() - this.settings.messageRetentionPeriod * 1000;
    for (const [messageId, { enqueuedAt }] of this.kept) if (enqueuedAt <= oldest) this.kept.delete(messageId);
    return [...this.kept.values()];
  }

  peek(count: number): Message[] {
    const now = this.now();
    return this.all()
      .filter(({ visibleAt }) => visibleAt <= now)
      .sort((a, b) => a.priority - b.priority)
      .slice(0, count);
  }

  /** Receives messages. Waits up to `waitSeconds` for the first one, or until `signal` aborts. */
  async receive(count: number, waitSeconds: number, signal: AbortSignal): Promise<Message[]> {
    const deadline = this.now() + waitSeconds * 1000;
    for (;;) {
      if (signal.aborted) return [];
      const taken = this.peek(count);
      for (const message of taken) this.take(message);
      if (taken.length > 0 || this.now() >= deadline) return taken;
      await this.change(deadline, signal);
    }
  }

  /** @throws ApiError `ReceiptHandleError`, `MessageNotExist` */
  delete(receiptHandle: string): void {
    this.kept.delete(this.held(receiptHandle).messageId);
  }

  /** Returns the message with its new handle and time. @throws ApiError `ReceiptHandleError`, `MessageNotExist` */
  changeVisibility(receiptHandle: string, visibilityTimeout: number): Message {
    assertBetween("VisibilityTimeout", visibilityTimeout, 1, 43_200);
    const message = this.held(receiptHandle);
    message.visibleAt = this.now() + visibilityTimeout * 1000;
    message.receiptHandle = newHandle(message.messageId);
    this.announce();
    return message;
  }

  private take(message: Message): void {
    const now = this.now();
    message.visibleAt = now + this.settings.visibilityTimeout * 1000;
    message.firstDequeuedAt ||= now;
    message.dequeueCount += 1;
    message.receiptHandle = newHandle(message.messageId);
  }

  /** Finds the message. A handle is valid until the message can be received again. */
  private held(receiptHandle: string): Message {
    if (!RECEIPT_HANDLE.test(receiptHandle))
      throw new ApiError(400, "ReceiptHandleError", "The receipt handle you provided is not valid.");
    const now = this.now();
    const message = this.all().find((one) => one.receiptHandle === receiptHandle && one.visibleAt > now);
    if (message === undefined) throw new ApiError(404, "MessageNotExist", "Message not exist.");
    return message;
  }

  private announce(): void {
    this.changes.dispatchEvent(new Event("change"));
  }

  /** Resolves when a message may have become visible, at the deadline, or when `signal` aborts. */
  private async change(deadline: number, signal: AbortSignal): Promise<void> {
    const due = this.all().reduce((soonest, { visibleAt }) => Math.min(soonest, visibleAt), deadline);
    const over = new AbortController();
    const end = () => over.abort();
    const timer = setTimeout(end, Math.min(Math.max(due - this.now(), 1), MAX_TIMER_MS));
    signal.addEventListener("abort", end);
    try {
      await once(this.changes, "change", { signal: over.signal });
    } catch (error) {
      if (!over.signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    }
  }
}

const newHandle = (messageId: string) => `${messageId.slice(0, 16)}-${randomBytes(16).toString("hex")}`;
