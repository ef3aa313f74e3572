import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { checksumOf } from "../../../runtime/stores/checksums";
import { BridgeError } from "../../../runtime/stores/errors";
import { type Context, expectKind, NO_ATTRIBUTES, putText, readBytes, readText, someBytes, streamOf } from "./context";

const MIB = 1024 ** 2;
/** Sizes below and above the amount that an adapter may hold in memory. */
const SIZES = [0, 1, 65_537, 3 * MIB + 7];

export function bodyChecks(context: Context): void {
  const { check, freshKey } = context;

  for (const sizeBytes of SIZES) {
    check(`stream-${sizeBytes}`, `a stream of ${sizeBytes} bytes arrives whole`, async () => {
      const key = freshKey();
      const bytes = someBytes(sizeBytes);
      await context.store.put(key, streamOf(bytes), { attributes: NO_ATTRIBUTES, sizeBytes });
      expect((await context.store.head(key))?.sizeBytes).toBe(sizeBytes);
      expect((await readBytes(context, key)).equals(bytes)).toBe(true);
    });

    check(`bytes-${sizeBytes}`, `${sizeBytes} bytes in memory arrive whole`, async () => {
      const key = freshKey();
      const bytes = someBytes(sizeBytes);
      await context.store.put(key, bytes, { attributes: NO_ATTRIBUTES, sizeBytes });
      expect((await readBytes(context, key)).equals(bytes)).toBe(true);
    });

    check(`long-${sizeBytes}`, `a body longer than ${sizeBytes} bytes is Corrupted, the old object stays`, async () => {
      const key = freshKey();
      await putText(context, key, "old");
      const bytes = someBytes(sizeBytes + 1);
      await expectKind(context.store.put(key, streamOf(bytes), { attributes: NO_ATTRIBUTES, sizeBytes }), "Corrupted");
      await expectKind(context.store.put(key, bytes, { attributes: NO_ATTRIBUTES, sizeBytes }), "Corrupted");
      expect(await readText(context, key)).toBe("old");
    });

    const [algorithm] = context.capabilities.checksums;
    if (algorithm !== undefined)
      check(
        `long-right-start-${sizeBytes}`,
        `a body is Corrupted when its first ${sizeBytes} bytes match the checksum but more bytes follow`,
        async () => {
          const key = freshKey();
          const bytes = someBytes(sizeBytes);
          const body = Readable.from(
            (async function* () {
              yield bytes;
              // Waits, so that the adapter can send the promised bytes before the extra byte arrives.
              for (let turn = 0; turn < 200; turn++) await setImmediate();
              yield Buffer.from("!");
            })(),
            { objectMode: false },
          );
          const options = { attributes: NO_ATTRIBUTES, sizeBytes, checksum: checksumOf(algorithm, bytes) };
          await expectKind(context.store.put(key, body, options), "Corrupted");
          expect(await context.store.head(key)).toBeUndefined();
        },
      );

    if (sizeBytes === 0) continue;
    check(`short-${sizeBytes}`, `a body shorter than ${sizeBytes} bytes is Corrupted, nothing becomes visible`, async () => {
      const key = freshKey();
      const bytes = someBytes(sizeBytes - 1);
      await expectKind(context.store.put(key, streamOf(bytes), { attributes: NO_ATTRIBUTES, sizeBytes }), "Corrupted");
      await expectKind(context.store.put(key, bytes, { attributes: NO_ATTRIBUTES, sizeBytes }), "Corrupted");
      expect(await context.store.head(key)).toBeUndefined();
    });

    check(`tiny-chunks-${sizeBytes}`, `a body of ${sizeBytes} bytes in tiny chunks arrives whole`, async () => {
      const key = freshKey();
      const bytes = someBytes(sizeBytes);
      await context.store.put(key, streamOf(bytes, 1021), { attributes: NO_ATTRIBUTES, sizeBytes });
      expect((await readBytes(context, key)).equals(bytes)).toBe(true);
    });

    for (const [name, failure, kind] of [
      ["a BridgeError keeps it", new BridgeError("PreconditionFailed", "get", "the source moved on"), "PreconditionFailed"],
      ["anything else is Unavailable", new Error("socket hang up"), "Unavailable"],
    ] as const) {
      check(`broken-${sizeBytes}-${kind}`, `a body that breaks off before ${sizeBytes} bytes with ${name}`, async () => {
        const key = freshKey();
        const half = someBytes(Math.floor(sizeBytes / 2));
        const body = Readable.from(
          (async function* () {
            yield half;
            throw failure;
          })(),
          { objectMode: false },
        );
        await expectKind(context.store.put(key, body, { attributes: NO_ATTRIBUTES, sizeBytes }), kind);
        expect(await context.store.head(key)).toBeUndefined();
      });
    }
  }

  check("too-large", "a body larger than maxPutSizeBytes is Invalid before it is read, and let go", async () => {
    const body = streamOf(someBytes(10));
    const sizeBytes = context.capabilities.maxPutSizeBytes + 1;
    await expectKind(context.store.put(freshKey(), body, { attributes: NO_ATTRIBUTES, sizeBytes }), "Invalid");
    expect(body.destroyed).toBe(true);
  });

  check("concurrent-puts", "concurrent puts of one key leave one of them whole", async () => {
    const key = freshKey();
    const bodies = Array.from({ length: 6 }, (_, index) => Buffer.alloc(50_000 + index, index + 1));
    await Promise.all(
      bodies.map((bytes) => context.store.put(key, streamOf(bytes), { attributes: NO_ATTRIBUTES, sizeBytes: bytes.length })),
    );
    const found = await readBytes(context, key);
    expect(bodies.some((bytes) => bytes.equals(found))).toBe(true);
  });
}
