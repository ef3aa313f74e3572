/**
 * What befalls one effect: its function crashes before it, it fails, its answer gets lost, or the network holds it back while everything else
 * that can happen does (a scheduler that picks at random almost never waits that long by itself).
 */
export type FaultKind =
  | "crash"
  | "refuse"
  | "lose-answer"
  | "lose-answer-and-crash"
  | "stall"
  | "stall-and-crash"
  /** The platform starts the function twice, as at-least-once allows. Only for `launch`. */
  | "twice";

/** The `nth` effect with this label fails so; a stall lasts `hold` passings of time. */
export interface Fault {
  label: string;
  nth: number;
  kind: FaultKind;
  hold: number;
}

/** Finds the fault of each effect as they come. */
export class Faults {
  private readonly counts = new Map<string, number>();
  private over = false;

  constructor(private readonly faults: readonly Fault[]) {}

  next(label: string): Fault | undefined {
    if (this.over) return undefined;
    const nth = (this.counts.get(label) ?? 0) + 1;
    this.counts.set(label, nth);
    return this.faults.find((fault) => fault.label === label && fault.nth === nth);
  }

  /** From here on nothing breaks any more. */
  end(): void {
    this.over = true;
  }
}
