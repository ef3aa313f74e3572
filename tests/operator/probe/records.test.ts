import type { Measurement } from "../../../operator/probe/measure";
import type { Direction } from "../../../operator/probe/plan";
import { keyOf, recordsCsv, recordsJson, recordsOf } from "../../../operator/probe/records";
import { VirtualTime } from "../../support/virtual-time";
import { fakeBridge } from "./fake-bridge";

const { bridge } = fakeBridge({
  time: new VirtualTime(),
  config: { scope: { prefixes: ["in/", "other/"], suffixes: [".jpg"] } },
});
const POSTED_AT_MS = Date.parse("2026-03-01T10:00:00.000Z");

const sample = (direction: Direction, tookMs: number | undefined) => ({
  object: { name: "run/x", sizeBytes: 1024, direction, number: 1 },
  postedAtMs: POSTED_AT_MS,
  seenAtMs: tookMs === undefined ? undefined : POSTED_AT_MS + tookMs,
  attempts: 3,
});
const recordOf = (tookMs: number | undefined, clocks: Measurement["clocks"], direction: Direction = "source->destination") =>
  recordsOf({ samples: [sample(direction, tookMs)], clocks }, bridge, 500)[0];

test("writes records in JSON", () => {
  const records = recordsOf(
    { samples: [sample("source->destination", 1234)], clocks: { ms: 90, uncertaintyMs: 100 } },
    bridge,
    500,
  );
  expect(recordsJson(records)).toBe(`[
  {
    "file_size_in_bytes": 1024,
    "post_date": "2026-03-01T10:00:00.000Z",
    "get_date": "2026-03-01T10:00:01.234Z",
    "duration_in_ms": 1234,
    "direction": "source->destination",
    "from": "aws/us-east-1/assets-us",
    "to": "aws-cn/cn-north-1/assets-cn",
    "gave_up": false,
    "attempts": 3,
    "resolution_in_ms": 500,
    "clock_offset_in_ms": null,
    "clock_offset_uncertainty_in_ms": null,
    "mode": "pull",
    "stack": "aws-to-china",
    "key": "in/crossborderbridge-probe/run/x.jpg"
  }
]
`);
});

test("writes records in CSV, with the same names", () => {
  const samples = [sample("source->destination", 1234), sample("destination->source", undefined)];
  expect(recordsCsv(recordsOf({ samples, clocks: { ms: 5000, uncertaintyMs: 100 } }, bridge, 500))).toBe(
    `file_size_in_bytes,post_date,get_date,duration_in_ms,direction,from,to,gave_up,attempts,resolution_in_ms,clock_offset_in_ms,clock_offset_uncertainty_in_ms,mode,stack,key
1024,2026-03-01T10:00:00.000Z,2026-03-01T10:00:01.234Z,0,source->destination,aws/us-east-1/assets-us,aws-cn/cn-north-1/assets-cn,false,3,500,5000,100,pull,aws-to-china,in/crossborderbridge-probe/run/x.jpg
1024,2026-03-01T10:00:00.000Z,,,destination->source,aws-cn/cn-north-1/assets-cn,aws/us-east-1/assets-us,true,3,500,-5000,100,pull,aws-to-china,from-us/in/crossborderbridge-probe/run/x.jpg
`,
  );
});

test.each<[string, Parameters<typeof recordOf>, { duration: number | null; offset: number | null }]>([
  ["uncorrected if the difference is not significant", [1234, { ms: 90, uncertaintyMs: 100 }], { duration: 1234, offset: null }],
  ["uncorrected if the clocks were not compared", [1234, undefined], { duration: 1234, offset: null }],
  ["corrected if the far clock is ahead", [6234, { ms: 5000, uncertaintyMs: 100 }], { duration: 1234, offset: 5000 }],
  ["corrected if the far clock is behind", [-3766, { ms: -5000, uncertaintyMs: 100 }], { duration: 1234, offset: -5000 }],
  [
    "corrected the other way round in the other direction",
    [-3766, { ms: 5000, uncertaintyMs: 100 }, "destination->source"],
    { duration: 1234, offset: -5000 },
  ],
  ["never below 0", [-3, { ms: 0, uncertaintyMs: 100 }], { duration: 0, offset: null }],
  ["none if the object was given up", [undefined, { ms: 5000, uncertaintyMs: 100 }], { duration: null, offset: 5000 }],
])("a duration is %s", (_, args, { duration, offset }) => {
  expect(recordOf(...args)).toMatchObject({
    duration_in_ms: duration,
    clock_offset_in_ms: offset,
    clock_offset_uncertainty_in_ms: offset === null ? null : 100,
    gave_up: duration === null,
  });
});

test("builds the keys of each side", () => {
  expect(keyOf(bridge, "source", "a")).toBe("in/crossborderbridge-probe/a.jpg");
  expect(keyOf(bridge, "destination", "a")).toBe("from-us/in/crossborderbridge-probe/a.jpg");
});
