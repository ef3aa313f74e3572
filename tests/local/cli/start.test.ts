/** `npm start` as a user and as a script run it. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import OSS from "ali-oss";
import { createRunDir, DEFAULT_STATE_DIR, REPOSITORY_ROOT, runsDir } from "../../../local/paths";
import { eventually } from "../../e2e/support/eventually";
import { type CliProcess, runNpm, runScript } from "./cli-process";

/** Enough for two clouds and a deployment on a busy machine. */
const READY_MS = 120_000;

interface End {
  endpoint: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
}

interface Ready {
  source: End;
  destination: End;
  receiver: { url: string };
  deadLetter: { queueUrl: string };
  page: { url: string };
}

const running = new Set<CliProcess>();

/** Ends the command after the test, also when the test fails. */
function started(command: CliProcess): CliProcess {
  running.add(command);
  void command.ended.then(() => running.delete(command));
  return command;
}

afterEach(async () => {
  for (const command of running) {
    command.signal("SIGINT");
    await command.ended;
  }
}, 60_000);

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The process of the bundler exits a moment later. */
async function nothingLeft(command: CliProcess): Promise<void> {
  expect(command.runFolders()).toEqual([]);
  await eventually(() => expect(command.survivors()).toEqual([]), { deadlineMs: 5_000, what: "its processes are gone" });
}

/** The page's stream tells about the buckets of this run: both runs have the same names, so the tokens tell them apart. */
async function showsItsStack({ page: { url } }: Ready): Promise<void> {
  const { origin, hash } = new URL(url);
  const ended = new AbortController();
  const authorization = `Bearer ${hash.slice("#token=".length)}`;
  const response = await fetch(`${origin}/api/events`, { headers: { authorization }, signal: ended.signal });
  let text = "";
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(part).toString();
    if (/"reachable":true.*"reachable":true.*"replicated":[1-9]/.test(text)) break;
  }
  expect(text).toMatch(/^event: hello\ndata: \{"stack":"dev"/);
  ended.abort();
}

describe("npm start -- --json", () => {
  test.each([[true], [false]])(
    "an OSS client reaches both sides with the printed endpoints and credentials, with V4 signatures: %p",
    async (authorizationV4) => {
      const command = started(runScript("start.ts", ["--stack", "oss-accelerated", "--json"]));
      const ready = JSON.parse(await command.line(/^\{/)) as Ready & { workflow: { name: string } };
      expect(ready).toMatchObject({
        source: { kind: "oss" },
        destination: { kind: "oss" },
        workflow: { name: expect.any(String) },
      });
      const client = ({ endpoint, region, bucket, accessKeyId, secretAccessKey }: End) =>
        new OSS({
          endpoint,
          region: `oss-${region}`,
          bucket,
          accessKeyId,
          accessKeySecret: secretAccessKey,
          authorizationV4,
        } as OSS.Options);
      await client(ready.source).put("hello.txt", Buffer.from("hello"));
      await eventually(async () => expect(String((await client(ready.destination).get("hello.txt")).content)).toBe("hello"), {
        deadlineMs: 30_000,
        what: "it is at the destination",
      });
      command.noteProcesses();
      command.signal("SIGINT");
      expect(await command.ended).toBe(0);
      await nothingLeft(command);
    },
    READY_MS,
  );

  test(
    "two runs at a time: each prints one line, S3 clients reach both sides, and Ctrl-C ends all processes",
    async () => {
      const commands = [started(runNpm(["start", "--silent", "--", "--json"])), started(runScript("start.ts", ["--json"]))];
      const both = await Promise.all(
        commands.map(async (command) => ({ command, ready: JSON.parse(await command.line(/^\{/)) as Ready })),
      );
      for (const { command, ready } of both) {
        command.noteProcesses();
        expect(command.stdout()).toBe(`${JSON.stringify(ready)}\n`);
        const end = (bucket: string, region: string) => ({
          endpoint: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
          region,
          bucket,
          accessKeyId: expect.any(String),
          secretAccessKey: expect.any(String),
        });
        expect(ready).toMatchObject({
          source: end("bridge-dev-global", "us-east-1"),
          destination: end("bridge-dev-china", "cn-north-1"),
          receiver: { url: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/.+\/notices$/) },
          deadLetter: { queueUrl: expect.stringMatching(/^https:.+\/111111111111\/crossborderbridge-dev-dead-letters$/) },
        });
        expect(ready.source.accessKeyId).not.toBe(ready.destination.accessKeyId);
      }
      expect(new Set(both.flatMap(({ ready }) => [ready.source.endpoint, ready.destination.endpoint])).size).toBe(4);
      for (const [index, { ready }] of both.entries()) await replicates(ready, `from ${index}`);
      for (const { ready } of both) await showsItsStack(ready);

      for (const command of commands) command.signal("SIGINT");
      const [, exitCode] = await Promise.all(commands.map(({ ended }) => ended));
      // The exit code of npm is not part of the contract.
      expect(exitCode).toBe(0);
      for (const command of commands) await nothingLeft(command);
    },
    2 * READY_MS,
  );
});

/** Of everything that one `npm start` started, once it has nothing to do. */
const IDLE_BYTES = 500 * 1024 ** 2;

test(
  "a ready bridge that has copied an object holds at most 500 MiB",
  async () => {
    const command = started(runNpm(["start", "--silent", "--", "--json"]));
    const ready = JSON.parse(await command.line(/^\{/)) as Ready;
    await replicates(ready, "something");
    await showsItsStack(ready);
    await eventually(
      () => {
        const all = command.memory();
        const bytes = all.reduce((sum, one) => sum + one.bytes, 0);
        expect({ bytes, all: bytes <= IDLE_BYTES ? [] : all }).toEqual({ bytes: expect.any(Number), all: [] });
      },
      { deadlineMs: 60_000, what: "its memory is that of an idle bridge" },
    );
    command.noteProcesses();
    command.signal("SIGINT");
    await command.ended;
    await nothingLeft(command);
  },
  READY_MS,
);

test(
  "a local cloud whose process is killed ends the command, which says so",
  async () => {
    const command = started(runScript("start.ts", ["--json"]));
    await command.line(/^\{/);
    command.noteProcesses();
    const [emulator = ""] = execFileSync("pgrep", ["-P", String(command.pid), "-f", "serve-ministack"], {
      encoding: "utf8",
    }).split("\n");
    process.kill(Number(emulator), "SIGKILL");
    expect(await command.ended).toBe(1);
    expect(command.stderr()).toMatch(/the local aws(-cn)? has ended: its process is gone, and the stack with it; start it again/);
    await nothingLeft(command);
  },
  READY_MS,
);

describe("Ctrl-C", () => {
  test.each([
    ["during set-up", /setting up/],
    ["during `pulumi up`", /crossborder:aws:Trigger .*creat/],
  ])(
    "%s leaves nothing running",
    async (_, moment) => {
      const command = started(runScript("start.ts", ["--verbose"]));
      await command.line(moment);
      command.noteProcesses();
      command.signal("SIGINT");
      expect(await command.ended).toBe(130);
      expect(command.stderr()).toMatch(/\ninterrupted\n$/);
      await nothingLeft(command);
    },
    READY_MS,
  );
});

test(
  "after a kill only the engine's language host and its program may run on, and the next start removes the folder",
  async () => {
    const command = started(runScript("start.ts", ["--verbose"]));
    await command.line(/crossborder:aws:Trigger .*creat/);
    command.noteProcesses();
    process.kill(command.pid, "SIGKILL");
    expect(await command.ended).toBe("SIGKILL");
    // Pulumi's language host checks only every five minutes that its engine runs. Its program mostly ends with the engine.
    const others = () => command.survivors().filter((one) => !/ pulumi-(language|program)$/.test(one));
    await eventually(() => expect(others()).toEqual([]), { deadlineMs: 60_000, what: "its processes are gone" });
    expect(command.runFolders()).toHaveLength(1);
    for (const one of command.survivors()) if (one.endsWith(" pulumi-program")) kill(Number.parseInt(one, 10));
    const next = await createRunDir(runsDir(DEFAULT_STATE_DIR));
    await rm(next, { recursive: true });
    expect(command.runFolders()).toEqual([]);
  },
  READY_MS,
);

describe("npm start -- --once", () => {
  test(
    "proves each file and exits with 0",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "once-"));
      const other = join(folder, "中文 & more.txt");
      await writeFile(other, "");
      const command = started(runScript("start.ts", ["--once", "package.json", other]));
      expect(await command.ended).toBe(0);
      const sizes = { "package.json": await readFile(join(REPOSITORY_ROOT, "package.json")), "中文 & more.txt": Buffer.alloc(0) };
      const lines = command.stdout().trimEnd().split("\n").sort();
      expect(lines).toEqual(
        Object.entries(sizes).map(([key, body]) => {
          const sha256 = createHash("sha256").update(body).digest("hex");
          return expect.stringMatching(new RegExp(`^${key}  ${body.length} bytes  sha256:${sha256}  lag \\d+\\.\\d\\d s$`));
        }),
      );
      await nothingLeft(command);
      await rm(folder, { recursive: true });
    },
    READY_MS,
  );

  test.each([
    ["a missing file", ["--once", "no-such-file"], "no-such-file: no such file"],
    ["a folder", ["--once", "local"], "local: not a file; name the files that are in it"],
    [
      "a file out of the stack's scope",
      ["--stack", "aws-to-china", "--once", "README.md"],
      "not in the scope of stack aws-to-china\n  README.md: the key starts with none of the prefixes",
    ],
    ["an unknown stack", ["--stack", "nowhere"], 'there is no stack "nowhere"; there are: '],
    ["an unknown option", ["--twice"], "unknown option '--twice'"],
  ])(
    "%s: the error says so, and nothing is started",
    async (_, args, message) => {
      const command = started(runScript("start.ts", args));
      expect(await command.ended).toBe(1);
      expect(command.stderr()).toContain(message);
      expect(command.stderr()).not.toMatch(/setting up|\bat .+:\d+:\d+/);
      expect(command.stdout()).toBe("");
      await nothingLeft(command);
    },
    30_000,
  );
});

/** Puts with a client of the printed values and reads with a presigned URL. */
async function replicates({ source, destination }: Ready, body: string): Promise<void> {
  const [from, to] = [source, destination].map(
    ({ endpoint, region, accessKeyId, secretAccessKey }) =>
      new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey } }),
  ) as [S3Client, S3Client];
  await from.send(new PutObjectCommand({ Bucket: source.bucket, Key: "hello.txt", Body: body }));
  const url = await getSignedUrl(to, new GetObjectCommand({ Bucket: destination.bucket, Key: "hello.txt" }));
  await eventually(
    async () => {
      const answer = await fetch(url);
      expect({ status: answer.status, body: await answer.text() }).toEqual({ status: 200, body });
    },
    { deadlineMs: 30_000, what: "the object is at the destination" },
  );
  from.destroy();
  to.destroy();
}
