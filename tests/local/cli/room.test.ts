import { once } from "node:events";
import { explain, fullText, LEAST_FREE_BYTES, roomOf, watchRoom } from "../../../local/cli/room";
import { CommandError } from "../../../local/run-command";

const FULL = { freeBytes: 3 * 1024 ** 2 + 5, sizeBytes: 20 * 1024 ** 3 };
const SENTENCE = "the disk of /w/.local is full: 3 MiB of 20,480 MiB are free; make room there and start again";
const errno = (code: string, rest: object = {}) => Object.assign(new Error(`${code}: it failed`), { code, ...rest });

test.each([
  ["an error of Node.js", errno("ENOSPC", { syscall: "write" })],
  ["a quota", errno("EDQUOT", { syscall: "mkdir" })],
  ["a cause", new Error("the deployment failed", { cause: errno("ENOSPC") })],
  ["one of several", new AggregateError([new Error("first"), errno("ENOSPC")], "first; second")],
  [
    "the words of another program",
    new CommandError("pulumi exited with 255\nwrite /w/x: no space left on device", { stdout: "", stderr: "" }),
  ],
])("a full disk by %s: one sentence with the folder and its room", async (_name, error) => {
  expect(await explain(error, "/w/.local", async () => FULL)).toBe(SENTENCE);
});

test.each([
  ["EROFS", "open"],
  ["EACCES", "mkdir"],
])("%s of %s: one sentence with the path", async (code, syscall) => {
  const error = errno(code, { syscall, path: "/w/.local/run" });
  expect(await explain(error, "/w/.local", async () => FULL)).toBe(
    `/w/.local/run cannot be written (${code}): change its owner or rights, or copy the checkout elsewhere`,
  );
});

test("any other error keeps its own words, also a file that cannot be read", async () => {
  const unread = errno("EACCES", { syscall: "open", path: "/etc/shadow" });
  for (const error of [unread, new Error("no such stack")]) expect(await explain(error, "/w", roomOf)).toBe(error.message);
  expect(await explain("text", "/w", roomOf)).toBe("text");
});

test("the room of a folder that does not exist is that of its disk", async () => {
  const room = await roomOf("/tmp/no/such/folder");
  expect(room.freeBytes).toBeGreaterThan(0);
  expect(room.sizeBytes).toBeGreaterThanOrEqual(room.freeBytes);
});

test("the watch ends the work when the disk is nearly full, with the sentence as its reason", async () => {
  const rooms = [LEAST_FREE_BYTES + 1, LEAST_FREE_BYTES, FULL.freeBytes].map((freeBytes) => ({ ...FULL, freeBytes }));
  const watch = watchRoom("/w/.local", async () => rooms.shift() ?? FULL, 1);
  // The watch alone keeps no process alive.
  const alive = setInterval(() => undefined, 1_000);
  await once(watch.signal, "abort");
  clearInterval(alive);
  expect(rooms).toEqual([]);
  expect(watch.signal.reason).toEqual(new Error(fullText("/w/.local", FULL)));
  watch.stop();
});

test("a watch that was stopped, or that cannot look, ends nothing", async () => {
  const looked: string[] = [];
  const blind = watchRoom(
    "/w",
    async (folder) => {
      looked.push(folder);
      throw errno("EACCES");
    },
    1,
  );
  const stopped = watchRoom("/w", async () => ({ ...FULL, freeBytes: LEAST_FREE_BYTES }), 1);
  stopped.stop();
  await new Promise((resolve) => setImmediate(resolve));
  expect(looked).toEqual(["/w"]);
  expect([blind.signal.aborted, stopped.signal.aborted]).toEqual([false, false]);
});
