import { Writable } from "node:stream";
import { flushed } from "../../operator/flushed";

test("what was written is handed on, however slow the reader is", async () => {
  const read: string[] = [];
  const slow = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      setTimeout(() => {
        read.push(chunk.toString());
        done();
      }, 5);
    },
  });
  for (const text of ["a", "b", "c"]) slow.write(text);
  await flushed(slow);
  expect(read.join("")).toBe("abc");
});

test("a reader that has gone is not waited for", async () => {
  const gone = new Writable({ write: (_chunk, _encoding, done) => done(new Error("EPIPE")) });
  gone.on("error", () => undefined);
  gone.write("a");
  await flushed(gone);
});
