import { createAllowlist } from "../../../../runtime/roles/receiver/allowlist";
import { isBridgeError } from "../../../../runtime/stores/errors";

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

test("an address alone means itself, of either family", () => {
  const allows = createAllowlist(["203.0.113.7", "2001:db8::1"]);
  expect([allows("203.0.113.7"), allows("203.0.113.6"), allows("2001:db8::1"), allows("2001:db8::2")]).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

test("empty lets everyone in", () => {
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
