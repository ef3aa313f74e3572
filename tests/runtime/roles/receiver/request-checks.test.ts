import * as fc from "fast-check";
import {
  createAllowlist,
  createFailureLimiter,
  createRateLimiter,
  parseBoundedJson,
} from "../../../../runtime/roles/receiver/request-checks";
import { isBridgeError } from "../../../../runtime/stores/errors";
import { VirtualTime } from "../../../support/virtual-time";

describe("createAllowlist", () => {
  test.each([
    ["203.0.113.7", true],
    ["203.0.113.8", false],
    ["198.51.100.255", true],
    ["198.51.101.0", false],
    ["::ffff:203.0.113.7", true],
    ["::ffff:203.0.113.8", false],
    ["2001:db8:1::9", true],
    ["2001:db8:2::9", false],
    ["2001:DB8:1:0:0:0:0:1", true],
    ["203.0.113.007", false],
    ["0313.0.113.7", false],
    ["3405803783", false],
    ["203.0.113.7, 10.0.0.1", false],
    ["203.0.113.7:443", false],
    ["", false],
    [undefined, false],
  ])("%p: %p", (address, allowed) => {
    expect(createAllowlist(["203.0.113.7/32", "198.51.100.0/24", "2001:db8:1::/48"])(address)).toBe(allowed);
  });

  test("an address without a length means itself, of either family", () => {
    const allows = createAllowlist(["203.0.113.7", "2001:db8::1"]);
    expect([allows("203.0.113.7"), allows("203.0.113.6"), allows("2001:db8::1"), allows("2001:db8::2")]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  test("empty allows every address", () => {
    expect(createAllowlist([])(undefined)).toBe(true);
  });

  test("0.0.0.0/0 is every IPv4 address and no IPv6 address", () => {
    const allows = createAllowlist(["0.0.0.0/0"]);
    expect([allows("8.8.8.8"), allows("2001:db8::1")]).toEqual([true, false]);
  });

  test.each(["203.0.113.7/33", "203.0.113.7/", "203.0.113.7/-1", "203.0.113.7/24/24", "host", "1/8", "2001:db8::/129", ""])(
    "%p is refused by name",
    (cidr) => {
      expect(() => createAllowlist([cidr])).toThrow(JSON.stringify(cidr));
      try {
        createAllowlist([cidr]);
      } catch (error) {
        expect(isBridgeError(error, "ConfigInvalid")).toBe(true);
      }
    },
  );
});

describe("createRateLimiter", () => {
  function setUp(requestsPerSecond: number, burst: number) {
    const clock = new VirtualTime();
    const take = createRateLimiter({ requestsPerSecond, burst }, clock);
    return { clock, take, passed: (count: number) => Array.from({ length: count }, () => take() === undefined) };
  }

  test("the burst passes at once, then one request each interval", () => {
    const { clock, take, passed } = setUp(4, 3);
    expect(passed(4)).toEqual([true, true, true, false]);
    expect(take()).toBeCloseTo(250);
    clock.advance(100);
    expect(take()).toBeCloseTo(150);
    clock.advance(150);
    expect(passed(2)).toEqual([true, false]);
  });

  test("a pause fills the bucket to the burst and no further", () => {
    const { clock, passed } = setUp(10, 2);
    passed(2);
    clock.advance(3_600_000);
    expect(passed(3)).toEqual([true, true, false]);
  });

  test("a clock that is set back neither adds nor removes tokens for good", () => {
    const { clock, passed } = setUp(1, 1);
    expect(passed(1)).toEqual([true]);
    clock.advance(-60_000);
    expect(passed(1)).toEqual([false]);
    clock.advance(1_000);
    expect(passed(2)).toEqual([true, false]);
  });

  test("less than one request of burst still lets one pass", () => {
    expect(setUp(0.5, 0.2).passed(2)).toEqual([true, false]);
  });

  test("at most the burst and what the time allows pass, and a request passes after the wait that was returned", () => {
    return fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.nat(400), { maxLength: 80 }),
        (rate, burst, gaps) => {
          const { clock, take } = setUp(rate, burst);
          const begin = clock.now();
          let count = 0;
          for (const gap of gaps) {
            clock.advance(gap);
            const waitMs = take();
            if (waitMs === undefined) {
              count += 1;
            } else {
              clock.advance(Math.ceil(waitMs) + 1);
              expect(take()).toBeUndefined();
              count += 1;
            }
            expect(count).toBeLessThanOrEqual(burst + ((clock.now() - begin) / 1000) * rate + 1e-6);
          }
        },
      ),
    );
  });
});

describe("createFailureLimiter", () => {
  test("remembers a thousand addresses: the one that failed longest ago is forgotten", () => {
    const failures = createFailureLimiter(new VirtualTime());
    const fail = (address: string) => {
      for (let times = 0; times < 20; times++) failures.failed(address);
    };
    fail("198.51.100.1");
    for (let other = 0; other < 999; other++) failures.failed(`10.0.${other >> 8}.${other & 255}`);
    expect(failures.waitMs("198.51.100.1")).toBe(10_000);
    failures.failed("10.1.0.0");
    expect(failures.waitMs("198.51.100.1")).toBeUndefined();
  });

  test("an IPv4 address in IPv6 form is the same address", () => {
    const failures = createFailureLimiter(new VirtualTime());
    for (let times = 0; times < 20; times++) failures.failed("::ffff:198.51.100.1");
    expect(failures.waitMs("198.51.100.1")).toBe(10_000);
    expect(failures.waitMs("198.51.100.2")).toBeUndefined();
  });
});

describe("parseBoundedJson", () => {
  function parse(text: string, depth = 3) {
    return parseBoundedJson(Buffer.from(text), depth);
  }

  test.each([
    ["[[[]]]", true],
    ["[[[[]]]]", false],
    ['{"a":{"b":{}}}', true],
    ['{"a":{"b":{"c":{}}}}', false],
    ["[[],[],[],[]]", true],
    ['{"a":[{}],"b":[{}]}', true],
    ['["[[[[[{{{{"]', true],
    ['["\\"[[[[["]', true],
    ['["\\\\",[[]]]', true],
    ['["\\\\",[[[]]]]', false],
    ['"[[[["', true],
  ])("%s within three levels: %p", (text, ok) => {
    const result = parse(text);
    expect(result).toEqual(ok ? { ok, value: JSON.parse(text) } : { ok, reason: "too-deep" });
  });

  test.each(["", "{", "[1,]", "{'a':1}", '"', "\\", "nul", "{}{}", "]]]]"])("%p is not JSON", (text) => {
    expect(parse(text)).toEqual({ ok: false, reason: "not-json" });
  });

  test("a million brackets are refused without being parsed", () => {
    expect(parse("[".repeat(1_000_000))).toEqual({ ok: false, reason: "too-deep" });
    expect(parse('{"a":'.repeat(500_000))).toEqual({ ok: false, reason: "too-deep" });
  });

  test("any JSON is parsed as JSON.parse does, up to the depth", () => {
    const depthOf = (value: unknown): number =>
      typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    return fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value);
        const expected = depthOf(value) > 3 ? { ok: false, reason: "too-deep" } : { ok: true, value: JSON.parse(text) };
        expect(parse(text)).toEqual(expected);
      }),
    );
  });
});
