import { createMetrics } from "../../../../runtime/platforms/aws-lambda/metrics";

function published(
  use: (metrics: ReturnType<typeof createMetrics>) => void,
  { always }: Pick<Parameters<typeof createMetrics>[0], "always"> = {},
): Record<string, unknown>[] {
  const lines: string[] = [];
  // The library writes to stdout by a console of its own.
  const write = jest.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    lines.push(String(chunk));
    return true;
  });
  try {
    use(createMetrics({ bridgeId: "bridge", role: "sender", always }));
  } finally {
    write.mockRestore();
  }
  return lines
    .flatMap((text) => text.split("\n"))
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const dev = process.env.POWERTOOLS_DEV;
beforeAll(() => {
  delete process.env.POWERTOOLS_DEV;
});
afterAll(() => {
  if (dev !== undefined) process.env.POWERTOOLS_DEV = dev;
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
