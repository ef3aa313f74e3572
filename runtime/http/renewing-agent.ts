/**
 * Connections that are given up together. A function is frozen between its invocations: no timer runs meanwhile, and no end of a connection is seen.
 * If one of them is broken afterwards, so are the others, and as many tries would fail as there are connections.
 */
import { Dispatcher } from "undici";
import { type Clock, systemClock } from "../protocol/ports";
import { type ConnectionOptions, createAgent, type HttpAgent, KEEP_ALIVE_MS } from "./agent";
import { isBroken } from "./connections";

/** Like the agent of `createAgent`, with new connections after a pause that is longer than one is kept, and after `noteFailure`. */
export class RenewingAgent extends Dispatcher {
  private inner: HttpAgent;
  private usedAtMs: number;
  /** Grows with each renewal. */
  private generation = 0;

  constructor(
    private readonly connection: ConnectionOptions = {},
    private readonly clock: Pick<Clock, "now"> = systemClock,
  ) {
    super();
    this.inner = createAgent(connection);
    this.usedAtMs = clock.now();
  }

  /** Which connections a request that begins now uses; for `noteFailure`. */
  current(): number {
    const { keepAliveMs = KEEP_ALIVE_MS } = this.connection;
    const nowMs = this.clock.now();
    if (nowMs - this.usedAtMs > keepAliveMs) this.renew();
    this.usedAtMs = nowMs;
    return this.generation;
  }

  /**
   * Gives up the connections of that time where one of them broke.
   * @returns whether it broke, so that the same request can succeed at once
   */
  noteFailure(cause: unknown, generation: number): boolean {
    if (!isBroken(cause)) return false;
    if (generation === this.generation) this.renew();
    return true;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.current();
    return this.inner.dispatch(options, handler);
  }

  override async close(): Promise<void> {
    await this.inner.close();
  }

  override async destroy(): Promise<void> {
    await this.inner.destroy();
  }

  private renew(): void {
    const { inner } = this;
    this.inner = createAgent(this.connection);
    this.generation += 1;
    // Requests that are in flight on it end normally, and an error of theirs is theirs.
    void inner.close();
  }
}
