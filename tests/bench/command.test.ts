import { parseArguments } from "../../bench/main";
import { parseUsage } from "../../bench/measured";
import { bytesOf, contentOf, crc64NvmeOf, digestOf, objectsOf } from "../../bench/objects";
import { PEERS } from "../../bench/peers";
import { assertFits, orderOfRound, sitsOut } from "../../bench/runner";
import { operationOf } from "../../bench/servers/store-server";
import { countLines } from "../../bench/servers/versitygw";
import { QUICK_NAMES, quickened, selectWorkloads, WORKLOADS } from "../../bench/workloads";

describe("the arguments", () => {
  test("without any, every workload is measured in 5 rounds", () => {
    expect(parseArguments([])).toEqual({ words: [], quick: false, list: false, rounds: 5, anyLoad: false });
    expect(selectWorkloads([])).toEqual(WORKLOADS);
  });

  test("a quick run has fewer rounds, unless it names them", () => {
    expect(parseArguments(["--quick"])).toMatchObject({ quick: true, rounds: 3 });
    expect(parseArguments(["--quick", "--rounds", "7", "large"])).toMatchObject({ rounds: 7, words: ["large"] });
  });

  test.each([["0"], ["1.5"], ["many"]])("%s rounds are refused", (text) => {
    const written = jest.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      expect(() => parseArguments(["--rounds", text])).toThrow(/must be a whole number, at least 1/);
    } finally {
      written.mockRestore();
    }
  });
});

describe("the workloads", () => {
  const names = WORKLOADS.map(({ name }) => name);

  test("each has its own name, which is no group", () => {
    const groups = new Set(WORKLOADS.flatMap((workload) => workload.groups));
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => groups.has(name))).toEqual([]);
  });

  test("a name selects one, a group selects several", () => {
    expect(selectWorkloads(["wan-small"]).map(({ name }) => name)).toEqual(["wan-small"]);
    expect(selectWorkloads(["wan", "s3-to-oss"]).map(({ name }) => name)).toEqual(["s3-to-oss", "wan-large", "wan-small"]);
  });

  test("an unknown word is named, with the words that are known", () => {
    expect(() => selectWorkloads(["wan", "lage"])).toThrow(/no workload or group "lage"; there are: large, .*local-stack/);
  });

  test("those of a quick run exist", () => {
    expect(selectWorkloads(QUICK_NAMES).length).toBeGreaterThan(QUICK_NAMES.length);
  });

  test.each(WORKLOADS.flatMap((workload) => (workload.kind === "data" ? [workload] : [])))(
    "$name: each target is of a way and a peer that are measured, and a quick run is not larger",
    (workload) => {
      const owns = workload.owns.map(({ name }) => name);
      const peers: string[] = [...workload.peers, "best"];
      expect(new Set(owns).size).toBe(owns.length);
      expect(workload.targets.filter(({ own }) => !owns.includes(own))).toEqual([]);
      expect(workload.targets.filter((target) => "peer" in target && !peers.includes(target.peer))).toEqual([]);
      expect(workload.peers.length > 0 || workload.note !== undefined).toBe(true);
      const quick = quickened(workload).objects;
      expect(quick.count * quick.sizeBytes).toBeLessThanOrEqual(workload.objects.count * workload.objects.sizeBytes);
    },
  );
});

test("the contenders take turns: A B C, then C B A", () => {
  expect(orderOfRound(["a", "b", "c"], 0)).toEqual(["a", "b", "c"]);
  expect(orderOfRound(["a", "b", "c"], 1)).toEqual(["c", "b", "a"]);
});

describe("a contender sits out further rounds", () => {
  test.each<[boolean, string, number[], number[]]>([
    [false, "it has run once", [900], [6]],
    [true, "two runs took 10 times as long as the fastest one's slower run", [60, 234], [5, 6]],
    [false, "one of its two runs was faster than that", [59, 234], [5, 6]],
    [false, "the fastest one has had one run, which took long", [60, 234], [7]],
  ])("%p if %s", (expected, _when, own, fastest) => {
    expect(sitsOut(own, [own, fastest])).toBe(expected);
  });
});

test("a workload that does not fit into memory is refused, with what it needs", () => {
  const [workload] = selectWorkloads(["4gib-tls"]);
  if (workload?.kind !== "data") throw new Error("4gib-tls copies objects");
  expect(() => assertFits(workload, 12 * 1024 ** 3)).not.toThrow();
  expect(() => assertFits(workload, 8 * 1024 ** 3)).toThrow(
    "4gib-tls needs 12.0 GiB of memory, and 8.0 GiB are free: end other programs, or name other workloads",
  );
});

describe("the objects", () => {
  test("have the same bytes every time, and other bytes for each key", async () => {
    const [one, other] = objectsOf({ count: 2, sizeBytes: 3 * 1024 ** 2 + 5 });
    if (one === undefined || other === undefined) throw new Error("two objects were planned");
    expect(bytesOf(one).length).toBe(one.sizeBytes);
    expect(await digestOf(contentOf(one))).toBe(await digestOf([bytesOf(one)]));
    expect(await digestOf(contentOf(other))).not.toBe(await digestOf(contentOf(one)));
  });

  test("an empty object has no piece", () => {
    expect([...contentOf({ key: "empty", sizeBytes: 0 })]).toEqual([]);
  });

  test("the checksum is CRC-64/NVME, by its published check value", async () => {
    // https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-nvme
    expect(Buffer.from(await crc64NvmeOf([Buffer.from("123456789")]), "base64").toString("hex")).toBe("ae8b14860a799888");
  });
});

describe("requests are counted by operation", () => {
  test.each([
    ["GET", "/b/k", "GetObject"],
    ["HEAD", "/b/k", "HeadObject"],
    ["PUT", "/b/k?x=tagging", "PutObject"],
    ["GET", "/b/k?tagging", "GetObjectTagging"],
    ["GET", "/b/k?X-Amz-Date=1&tagging=", "GetObjectTagging"],
    ["PUT", "/b/k?uploadId=u&partNumber=1", "UploadPart"],
    ["POST", "/b/k?uploadId=u", "CompleteMultipartUpload"],
    ["POST", "/b/k?append&position=0", "AppendObject"],
    ["OPTIONS", "/", "OPTIONS"],
  ])("%s %s is %s", (method, target, operation) => {
    expect(operationOf(method, target)).toBe(operation);
  });

  test("from the lines of the gateway's access log", () => {
    const line = (operation: string) =>
      `owner bucket [30/Nov/2026:06:52:24 +0000] 127.0.0.1 requester ID ${operation} data/000000 /bucket/data/000000 200 - 0 4096 0 0 - - - - SigV4`;
    expect(countLines(["log starts 2026", line("s3_GetObject"), line("s3_GetObject"), line("s3_PutObject"), ""])).toEqual({
      GetObject: 2,
      PutObject: 1,
    });
  });
});

test("the usage of commands that ran at the same time is added", () => {
  const commands = [
    { command: "a", exitCode: 0, cpuSeconds: 1, maxRssBytes: 10 },
    { command: "b", exitCode: 0, cpuSeconds: 0.5, maxRssBytes: 5 },
  ];
  expect(parseUsage(JSON.stringify({ wallSeconds: 2, commands }))).toEqual({ wallSeconds: 2, cpuSeconds: 1.5, rssBytes: 15 });
});

describe("the commands of the peers", () => {
  const access = (name: string) => ({
    kind: "s3" as const,
    bucket: name,
    region: "us-east-1",
    endpoint: "https://127.0.0.1:1",
    credentials: { accessKeyId: `id-of-${name}`, secretAccessKey: "secret" },
  });
  const tool = (path: string) => ({ path, version: "1" });
  const tools = {
    versitygw: tool("versitygw"),
    rclone: tool("rclone"),
    s5cmd: tool("s5cmd"),
    curl: tool("curl"),
    measure: "measure",
  };
  const task = {
    tools,
    source: access("source"),
    destination: access("destination"),
    objects: objectsOf({ count: 1, sizeBytes: 5 }),
    checksum: "c2Fs",
    caPath: "/ca.pem",
    folder: "/scratch",
  };

  test("curl hands the source's checksum on, in a signed header", () => {
    const [[, write = []] = []] = PEERS.curl.steps(task);
    expect(write).toContain("x-amz-checksum-crc64nvme: c2Fs");
    expect(write.find((word) => word.startsWith("authorization:"))).toContain(";x-amz-checksum-crc64nvme;");
  });

  test("a peer for one object refuses several", () => {
    const several = { ...task, objects: objectsOf({ count: 2, sizeBytes: 5 }) };
    for (const name of ["curl", "rclone-put", "s5cmd-pipe"] as const)
      expect(() => PEERS[name].steps(several)).toThrow("this peer copies one object, not 2");
  });

  test("each side has its own credentials", () => {
    const [down = [], up = []] = PEERS["s5cmd-many"].steps(task).map(([command = []]) => command);
    expect(down).toContain("AWS_ACCESS_KEY_ID=id-of-source");
    expect(up).toContain("AWS_ACCESS_KEY_ID=id-of-destination");
  });
});
