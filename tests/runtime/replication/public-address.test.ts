import type { LookupAddress } from "node:dns";
import { isPublicAddress, publicLookup, type ResolveAll } from "../../../runtime/replication/public-address";
import { isBridgeError } from "../../../runtime/stores/errors";

test.each([
  ["52.216.1.1", true],
  ["8.8.8.8", true],
  ["2600:1f18::1", true],
  ["::ffff:52.216.1.1", true],
  ["127.0.0.1", false],
  ["127.255.255.254", false],
  ["0.0.0.0", false],
  ["10.0.0.1", false],
  ["172.16.0.1", false],
  ["172.31.255.255", false],
  ["192.168.1.1", false],
  ["169.254.169.254", false],
  ["169.254.170.2", false],
  ["100.64.0.1", false],
  ["100.100.100.200", false],
  ["168.63.129.16", false],
  ["192.0.0.192", false],
  ["198.18.0.1", false],
  ["224.0.0.1", false],
  ["240.0.0.1", false],
  ["255.255.255.255", false],
  ["::", false],
  ["::1", false],
  ["fe80::1", false],
  ["fc00::1", false],
  ["fd00:ec2::254", false],
  ["fec0::1", false],
  ["ff02::1", false],
  ["2001:db8::1", false],
  ["2002:7f00:1::", false],
  ["64:ff9b::7f00:1", false],
  ["::ffff:127.0.0.1", false],
  ["::ffff:a9fe:a9fe", false],
  ["::ffff:100.100.100.200", false],
  ["fe80::1%eth0", false],
  ["localhost", false],
  ["", false],
])("%p is public: %p", (address, expected) => {
  expect(isPublicAddress(address)).toBe(expected);
});

function lookup(answer: LookupAddress[] | NodeJS.ErrnoException, all: boolean): Promise<unknown[]> {
  const resolve: ResolveAll = (_hostname, _options, callback) => {
    if (answer instanceof Error) callback(answer, []);
    else callback(null, answer);
  };
  return new Promise((done) => publicLookup(resolve)("bucket.example.com", { all }, (...result: unknown[]) => done(result)));
}

const PUBLIC = { address: "52.216.1.1", family: 4 };
const PUBLIC_6 = { address: "2600:1f18::1", family: 6 };
const PRIVATE = { address: "10.0.0.1", family: 4 };

test("hands on public addresses, one or all as asked", async () => {
  expect(await lookup([PUBLIC, PUBLIC_6], true)).toEqual([null, [PUBLIC, PUBLIC_6]]);
  expect(await lookup([PUBLIC_6, PUBLIC], false)).toEqual([null, PUBLIC_6.address, 6]);
});

test.each([
  ["only a private one", [PRIVATE]],
  ["a private one after a public one", [PUBLIC, PRIVATE]],
  ["a private one before a public one", [PRIVATE, PUBLIC]],
  ["loopback behind IPv6", [PUBLIC, { address: "::1", family: 6 }]],
  ["none", []],
])("%s refuses the name, whichever form is asked for", async (_name, addresses) => {
  for (const all of [true, false]) {
    const [error] = await lookup(addresses, all);
    expect(isBridgeError(error, "Invalid")).toBe(true);
    expect(String(error)).not.toMatch(/10\.0|example/);
  }
});

test("asks for every address even when one is wanted", async () => {
  const asked: boolean[] = [];
  const resolve: ResolveAll = (_hostname, { all }, callback) => {
    asked.push(all);
    callback(null, [PUBLIC]);
  };
  await new Promise((done) => publicLookup(resolve)("bucket.example.com", { all: false }, done));
  expect(asked).toEqual([true]);
});

test("a name that does not resolve stays that error", async () => {
  const notFound = Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
  expect((await lookup(notFound, true))[0]).toBe(notFound);
});
