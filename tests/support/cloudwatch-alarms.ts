/**
 * Evaluates alarms as CloudWatch does, from the inputs of a recorded `aws.cloudwatch.MetricAlarm`. Where the documentation leaves something
 * open, it takes what makes an alarm later or silent.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
import type { AlarmRule, MetricRecord, Statistic } from "./alarms";

interface Metric {
  namespace: string;
  metricName: string;
  dimensions: Record<string, string>;
}

interface Query {
  id: string;
  expression?: string;
  returnData?: boolean;
  metric?: Metric & { period: number; stat: Statistic };
}

interface AlarmInputs extends Partial<Metric> {
  name: string;
  alarmDescription: string;
  period?: number;
  statistic?: Statistic;
  metricQueries?: Query[];
  comparisonOperator: string;
  threshold: number;
  datapointsToAlarm?: number;
  evaluationPeriods: number;
  treatMissingData: string;
}

/** A metric as `MetricRecord` names it. */
export const metricName = ({ namespace, metricName, dimensions }: Metric): string =>
  `${namespace} ${metricName} ${Object.keys(dimensions)
    .sort()
    .map((name) => `${name}=${dimensions[name]}`)
    .join(" ")}`;

/** CloudWatch extracts embedded metrics from a log within seconds, and evaluates an alarm once a minute. */
const LATENCY_MS = 60_000;

/** @param more how many periods CloudWatch looks back beyond `evaluationPeriods`. Its documentation shows 2 and names no number. */
export function cloudWatchRule(inputs: AlarmInputs, more = 2): AlarmRule {
  const { threshold, evaluationPeriods, datapointsToAlarm = evaluationPeriods } = inputs;
  const isBad = COMPARISONS[inputs.comparisonOperator];
  const missing = ({ breaching: "bad", notBreaching: "good" } as const)[inputs.treatMissingData];
  if (isBad === undefined || missing === undefined)
    throw new Error(`${inputs.name}: ${inputs.comparisonOperator}, ${inputs.treatMissingData}`);
  const { periodMs, values } = valuesOf(inputs);
  return {
    name: inputs.name,
    periodMs,
    values,
    isBad: (value) => isBad(value, threshold),
    bad: datapointsToAlarm,
    periods: evaluationPeriods,
    missing,
    latencyMs: LATENCY_MS,
    lookBackPeriods: evaluationPeriods + more,
  };
}

const COMPARISONS: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanThreshold: (value, threshold) => value > threshold,
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
  LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
};

function valuesOf(inputs: AlarmInputs): Pick<AlarmRule, "periodMs" | "values"> {
  const { namespace, metricName: name, dimensions, statistic, period, metricQueries = [] } = inputs;
  if (
    namespace !== undefined &&
    name !== undefined &&
    dimensions !== undefined &&
    statistic !== undefined &&
    period !== undefined
  ) {
    const metric = { namespace, metricName: name, dimensions };
    return {
      periodMs: period * 1000,
      values: (record, starts) => seriesOf(record, { ...metric, period, stat: statistic }, starts),
    };
  }
  const result = metricQueries.find(({ returnData }) => returnData === true);
  const [first] = metricQueries.flatMap(({ metric }) => metric ?? []);
  if (result?.expression === undefined || first === undefined) throw new Error(`${inputs.name} has no expression with metrics`);
  const expression = parseExpression(result.expression);
  return {
    periodMs: first.period * 1000,
    values: (record, starts) => {
      const series = new Map(
        metricQueries.flatMap(({ id, metric }) => (metric ? [[id, seriesOf(record, metric, starts)] as const] : [])),
      );
      return starts.map((_, index) => expression(series, index));
    },
  };
}

function seriesOf(record: MetricRecord, metric: Metric & { period: number; stat: Statistic }, starts: readonly number[]) {
  const periodMs = metric.period * 1000;
  return starts.map((fromMs) => record.statistic(metricName(metric), metric.stat, fromMs, fromMs + periodMs));
}

type Series = ReadonlyMap<string, readonly (number | undefined)[]>;
/** The value of an expression in one period. Undefined where one of its values is missing. */
type Expression = (series: Series, index: number) => number | undefined;

const OPERATORS: readonly Readonly<Record<string, (a: number, b: number) => number>>[] = [
  { OR: (a, b) => Number(a !== 0 || b !== 0), AND: (a, b) => Number(a !== 0 && b !== 0) },
  {
    ">": (a, b) => Number(a > b),
    "<": (a, b) => Number(a < b),
    ">=": (a, b) => Number(a >= b),
    "<=": (a, b) => Number(a <= b),
    "==": (a, b) => Number(a === b),
  },
  { "+": (a, b) => a + b, "-": (a, b) => a - b },
  { "*": (a, b) => a * b, "/": (a, b) => a / b },
];

/**
 * The part of metric math that the alarms use: numbers, ids, `IF(condition, then, else)`, `FILL(id, number)` and operators. FILL fills the
 * gaps of a metric that has some value; a metric without any value stays without.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
export function parseExpression(text: string): Expression {
  const tokens = text.match(/[A-Za-z_][A-Za-z0-9_]*|\d+(?:\.\d+)?|[<>=]=|[-+*/<>(),]|\S/g) ?? [];
  const take = (expected?: string): string => {
    const token = tokens.shift();
    if (token === undefined || (expected !== undefined && token !== expected))
      throw new Error(`${text}: ${expected ?? "more"} expected`);
    return token;
  };
  const binary = (level: number): Expression => {
    const operators = OPERATORS[level];
    if (operators === undefined) return primary();
    let left = binary(level + 1);
    for (let apply = operators[tokens[0] ?? ""]; apply !== undefined; apply = operators[tokens[0] ?? ""]) {
      take();
      left = both(left, binary(level + 1), apply);
    }
    return left;
  };
  const call = (parameters: number): Expression[] => {
    take("(");
    const found = Array.from({ length: parameters }, (_, index) => {
      if (index > 0) take(",");
      return binary(0);
    });
    take(")");
    return found;
  };
  const primary = (): Expression => {
    const token = take();
    if (token === "(") {
      const inner = binary(0);
      take(")");
      return inner;
    }
    if (/^\d/.test(token)) return () => Number(token);
    if (token === "IF") {
      const [condition, yes, no] = call(3) as [Expression, Expression, Expression];
      return (series, index) => {
        const values = [condition, yes, no].map((one) => one(series, index));
        return values.includes(undefined) ? undefined : values[values[0] ? 1 : 2];
      };
    }
    if (token === "FILL") {
      const [id] = [tokens[1] ?? ""];
      const [metric, filler] = call(2) as [Expression, Expression];
      return (series, index) =>
        series.get(id)?.some((value) => value !== undefined) ? (metric(series, index) ?? filler(series, index)) : undefined;
    }
    if (!/^[a-z]/.test(token)) throw new Error(`${text}: ${token} is not known here`);
    return (series, index) => {
      const values = series.get(token);
      if (values === undefined) throw new Error(`${text}: no metric ${token}`);
      return values[index];
    };
  };
  const whole = binary(0);
  if (tokens.length > 0) throw new Error(`${text}: ${tokens[0]} is not expected`);
  return whole;
}

function both(left: Expression, right: Expression, apply: (a: number, b: number) => number): Expression {
  return (series, index) => {
    const [a, b] = [left(series, index), right(series, index)];
    return a === undefined || b === undefined ? undefined : apply(a, b);
  };
}
