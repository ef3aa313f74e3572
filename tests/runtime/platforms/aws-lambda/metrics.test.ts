import { Metrics as Powertools } from "@aws-lambda-powertools/metrics";
import { createMetrics } from "../../../../runtime/platforms/aws-lambda/metrics";

/** The library warns about a time that is long ago. */
const NOW = Date.now();

function published(
  use: (metrics: ReturnType<typeof createMetrics>) => void,
  { always }: Pick<Parameters<typeof createMetrics>[0], "always"> = {},
): Record<string, unknown>[] {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  use(createMetrics({ bridgeId: "bridge", role: "sender", always, clock: { now: () => NOW }, destination }));
  for (const line of lines) expect(line).toMatch(/^[^\n]+\n$/);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("a line is the one that AWS's own library writes", () => {
  const library = new Powertools({
    namespace: "CrossBorderBridge",
    serviceName: "sender",
    defaultDimensions: { BridgeId: "bridge" },
  });
  library.setTimestamp(NOW);
  library.addMetric("Replicated", "Count", 1);
  library.addMetric("Replicated", "Count", 1);
  library.addMetric("BytesMoved", "Bytes", 5);
  library.addMetric("LagMs", "Milliseconds", 120);
  const [line] = published((metrics) => {
    metrics.add("Replicated", 1);
    metrics.add("Replicated", 1);
    metrics.add("BytesMoved", 5);
    metrics.add("LagMs", 120);
    metrics.flush();
  });
  expect(line).toEqual(JSON.parse(JSON.stringify(library.serializeMetrics())));
});

test("the values since the last flush are one embedded metric line", () => {
  const lines = published((metrics) => {
    metrics.add("Replicated", 1);
    metrics.add("Replicated", 1);
    metrics.add("BytesMoved", 5);
    metrics.add("LagMs", 120);
    metrics.flush();
  });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ service: "sender", BridgeId: "bridge", Replicated: [1, 1], BytesMoved: 5, LagMs: 120 });
  const embedded = lines[0]?._aws as { CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: unknown[] }[] };
  const [definition] = embedded.CloudWatchMetrics;
  expect(definition).toMatchObject({
    Namespace: "CrossBorderBridge",
    Dimensions: [expect.arrayContaining(["service", "BridgeId"])],
  });
  expect(definition?.Metrics).toEqual(
    expect.arrayContaining([
      { Name: "Replicated", Unit: "Count" },
      { Name: "BytesMoved", Unit: "Bytes" },
      { Name: "LagMs", Unit: "Milliseconds" },
    ]),
  );
});

test("a flush without values writes nothing, and no value is written twice", () => {
  expect(published((metrics) => metrics.flush())).toEqual([]);
  const lines = published((metrics) => {
    metrics.add("Parked", 1);
    metrics.flush();
    metrics.flush();
    metrics.add("Skipped", 1);
    metrics.flush();
  });
  expect(lines).toHaveLength(2);
  expect(lines[1]).not.toHaveProperty("Parked");
});

test("no value is lost when there are more than one line may hold", () => {
  const lines = published((metrics) => {
    for (let count = 0; count < 250; count++) metrics.add("LagMs", count);
    metrics.flush();
  });
  expect(lines.flatMap(({ LagMs }) => LagMs)).toEqual(Array.from({ length: 250 }, (_, index) => index));
});

test("what an alarm compares is written by every invocation, as 0 where there was nothing", () => {
  const lines = published(
    (metrics) => {
      metrics.flush();
      metrics.add("Retried", 1);
      metrics.flush();
      metrics.flush();
    },
    { always: ["Retried", "Replicated"] },
  );
  expect(lines.map(({ Retried, Replicated }) => [Retried, Replicated])).toEqual([
    [0, 0],
    [1, 0],
    [0, 0],
  ]);
});
