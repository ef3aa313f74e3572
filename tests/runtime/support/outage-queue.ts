import type { HeldMessage, Look, OutageQueue } from "../../../runtime/protocol/ports";

const VISIBILITY_MS = 45_000;

/** An outage queue in memory. A received message is hidden for 45 s, like in SQS. */
export class MemoryOutageQueue implements OutageQueue {
  readonly messages: { look: Look; id: number; visibleAtMs: number }[] = [];
  /** Calls by name. */
  readonly calls: Record<string, number> = {};
  private ids = 0;

  constructor(private readonly clock: { now(): number }) {}

  get keys(): string[] {
    return this.messages.map(({ look }) => look.key);
  }

  async isEmpty(): Promise<boolean> {
    this.count("isEmpty");
    return this.messages.length === 0;
  }

  async add(looks: readonly Look[]): Promise<void> {
    this.count("add");
    for (const look of looks) this.messages.push({ look, id: ++this.ids, visibleAtMs: this.clock.now() });
  }

  async receive(): Promise<HeldMessage[]> {
    this.count("receive");
    const found = this.messages.filter(({ visibleAtMs }) => visibleAtMs <= this.clock.now()).slice(0, 10);
    for (const message of found) message.visibleAtMs = this.clock.now() + VISIBILITY_MS;
    return found.map(({ look, id }) => ({ look, handle: `${id}` }));
  }

  async remove(messages: readonly HeldMessage[]): Promise<void> {
    this.count("remove");
    const gone = new Set(messages.map(({ handle }) => handle));
    const kept = this.messages.filter(({ id }) => !gone.has(`${id}`));
    this.messages.splice(0, this.messages.length, ...kept);
  }

  private count(name: string): void {
    this.calls[name] = (this.calls[name] ?? 0) + 1;
  }
}
