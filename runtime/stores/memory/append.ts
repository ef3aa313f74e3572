import type { AppendedTail, AppendStore } from "../append-store";
import { throwIfAborted } from "../body";
import { BridgeError } from "../errors";
import type { CallOptions } from "../object-store";

/** The port in memory. Each call is one synchronous step. */
export class MemoryAppendStore implements AppendStore {
  private readonly objects = new Map<string, Buffer>();

  async append(key: string, position: number, bytes: Uint8Array, { signal }: CallOptions = {}): Promise<{ sizeBytes: number }> {
    throwIfAborted("append", signal);
    const present = this.objects.get(key) ?? Buffer.alloc(0);
    if (present.length !== position)
      throw new BridgeError("PreconditionFailed", "append", `the object has ${present.length} bytes, not ${position}`);
    const whole = Buffer.concat([present, bytes]);
    this.objects.set(key, whole);
    return { sizeBytes: whole.length };
  }

  async readTail(key: string, maxBytes: number, { signal }: CallOptions = {}): Promise<AppendedTail | undefined> {
    throwIfAborted("readTail", signal);
    const present = this.objects.get(key);
    if (present === undefined) return undefined;
    return { bytes: Buffer.from(present.subarray(Math.max(0, present.length - maxBytes))), sizeBytes: present.length };
  }

  /** Tests only: the whole object. */
  contents(key: string): Buffer | undefined {
    return this.objects.get(key);
  }

  /** Tests only. */
  keys(): string[] {
    return [...this.objects.keys()];
  }
}
