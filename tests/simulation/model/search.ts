/** Breadth-first search of a finite model. It visits every reachable state and finds the shortest trace to a wrong one. */

export interface Model<S> {
  initial: S;
  /** All steps from this state, with labels for the trace. */
  steps(state: S): Iterable<[label: string, next: S]>;
  /** Identifies the state. Equivalent states have the same name. */
  name(state: S): string;
  /** Whether nothing is left to do. It is called for every state, because writers may stop at any time. */
  quiet(state: S): boolean;
  /** The fault of a quiet state; undefined if it is correct. */
  fault(state: S): string | undefined;
}

export interface Finding {
  states: number;
  quietStates: number;
  /** The first wrong state, with the steps that lead to it. */
  counterexample?: { fault: string; trace: string[] };
  /** Number of states from which no quiet state can be reached: the bridge would work forever. */
  stuck: number;
}

/** @throws Error when the model is larger than `limit`. */
export function search<S>(model: Model<S>, limit = 2_000_000): Finding {
  const known = new Map<string, number>();
  const frontier: S[] = [];
  const origins: { from: number; label: string }[] = [];
  const comesFrom: number[][] = [];
  const quiet: number[] = [];

  const visit = (state: S, from: number, label: string): void => {
    const name = model.name(state);
    let index = known.get(name);
    if (index === undefined) {
      index = origins.length;
      if (index >= limit) throw new Error(`the model has more than ${limit} states`);
      known.set(name, index);
      origins.push({ from, label });
      comesFrom.push([]);
      frontier.push(state);
    }
    if (from >= 0) comesFrom[index]?.push(from);
  };
  const trace = (index: number): string[] => {
    const labels: string[] = [];
    for (let at = index; at > 0; at = origins[at]?.from ?? 0) labels.unshift(origins[at]?.label ?? "");
    return labels;
  };

  visit(model.initial, -1, "");
  for (let index = 0; index < frontier.length; index++) {
    const state = frontier[index] as S;
    if (model.quiet(state)) {
      quiet.push(index);
      const fault = model.fault(state);
      if (fault !== undefined)
        return { states: frontier.length, quietStates: quiet.length, stuck: 0, counterexample: { fault, trace: trace(index) } };
    }
    for (const [label, next] of model.steps(state)) visit(next, index, label);
  }
  return { states: frontier.length, quietStates: quiet.length, stuck: frontier.length - reaching(quiet, comesFrom) };
}

/** Counts the states from which one of the targets can be reached. */
function reaching(targets: readonly number[], comesFrom: readonly (readonly number[])[]): number {
  const reached = new Set(targets);
  const open = [...targets];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    for (const from of comesFrom[index] ?? []) {
      if (reached.has(from)) continue;
      reached.add(from);
      open.push(from);
    }
  }
  return reached.size;
}

export function describeFinding({ states, quietStates, counterexample, stuck }: Finding): string {
  if (counterexample !== undefined)
    return `${counterexample.fault}\n${counterexample.trace.map((step, index) => `  ${index + 1}. ${step}`).join("\n")}`;
  return stuck > 0
    ? `${stuck} of ${states} states never come to rest`
    : `all ${quietStates} quiet states of ${states} states are equal to the source`;
}
