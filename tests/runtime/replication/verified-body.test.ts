import { PassThrough, Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { verifiedBody } from "../../../runtime/replication/verified-body";
import { checksumOf } from "../../../runtime/stores/checksums";
import { readAll } from "../../../runtime/stores/read-all";

const BYTES = Buffer.from("hello");
const CHECKSUM = checksumOf("CRC64XZ", BYTES);

test("hands on the bytes that the checksum is of", async () => {
  expect(await readAll(verifiedBody(Readable.from([BYTES.subarray(0, 2), BYTES.subarray(2)]), CHECKSUM), 100)).toEqual(BYTES);
});

test("others fail before their last piece", async () => {
  const seen: Buffer[] = [];
  const body = verifiedBody(Readable.from([Buffer.from("hel"), Buffer.from("LO")]), CHECKSUM);
  body.on("data", (piece: Buffer) => seen.push(piece));
  await expect(new Promise((_, reject) => body.once("error", reject))).rejects.toMatchObject({ kind: "Corrupted" });
  expect(String(Buffer.concat(seen))).toBe("hel");
});

test("one that breaks before anybody reads it ends nothing else, and its reader gets the error", async () => {
  const from = new PassThrough();
  const body = verifiedBody(from, CHECKSUM);
  const cause = new Error("socket hang up");
  from.destroy(cause);
  await nextTurn();
  await expect(readAll(body, 100)).rejects.toBe(cause);
});
