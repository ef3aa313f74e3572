import { CHECKSUM_ALGORITHMS } from "../../../runtime/protocol/snapshot";
import { checksumOf } from "../../../runtime/stores/checksums";
import { type Context, expectKind, NO_ATTRIBUTES, readBytes, someBytes, streamOf } from "./context";

const SIZES = [0, 1000, 2 * 1024 ** 2];

export function checksumChecks(context: Context): void {
  const { check, freshKey, capabilities } = context;

  for (const algorithm of CHECKSUM_ALGORITHMS) {
    if (!capabilities.checksums.includes(algorithm)) {
      check(`put-${algorithm}`, `a put that carries ${algorithm} is Unsupported`, async () => {
        const bytes = someBytes(10);
        const options = { attributes: NO_ATTRIBUTES, sizeBytes: 10, checksum: checksumOf(algorithm, bytes) };
        await expectKind(context.store.put(freshKey(), bytes, options), "Unsupported");
      });
      continue;
    }

    for (const sizeBytes of SIZES) {
      check(
        `put-${algorithm}-${sizeBytes}`,
        `a put of ${sizeBytes} bytes that carries the right ${algorithm} succeeds, and head reports it`,
        async () => {
          const key = freshKey();
          const bytes = someBytes(sizeBytes);
          const checksum = checksumOf(algorithm, bytes);
          await context.store.put(key, streamOf(bytes), { attributes: NO_ATTRIBUTES, sizeBytes, checksum });
          expect((await context.store.head(key))?.checksums).toContainEqual(checksum);
          expect((await readBytes(context, key)).equals(bytes)).toBe(true);
        },
      );
    }

    for (const sizeBytes of SIZES.slice(1)) {
      check(
        `wrong-${algorithm}-${sizeBytes}`,
        `a put of ${sizeBytes} bytes with a wrong ${algorithm} is Corrupted, nothing becomes visible`,
        async () => {
          const key = freshKey();
          const bytes = someBytes(sizeBytes);
          const checksum = checksumOf(algorithm, someBytes(sizeBytes));
          await expectKind(
            context.store.put(key, streamOf(bytes), { attributes: NO_ATTRIBUTES, sizeBytes, checksum }),
            "Corrupted",
          );
          await expectKind(context.store.put(key, bytes, { attributes: NO_ATTRIBUTES, sizeBytes, checksum }), "Corrupted");
          expect(await context.store.head(key)).toBeUndefined();
        },
      );
    }
  }

  for (const sizeBytes of SIZES) {
    check(
      `default-checksum-${sizeBytes}`,
      `a put of ${sizeBytes} bytes without a checksum still gets one over the whole object`,
      async () => {
        const key = freshKey();
        const bytes = someBytes(sizeBytes);
        await context.store.put(key, streamOf(bytes), { attributes: NO_ATTRIBUTES, sizeBytes });
        const checksums = (await context.store.head(key))?.checksums ?? [];
        expect(checksums.length).toBe(Math.min(1, capabilities.checksums.length));
        for (const checksum of checksums) expect(checksum).toEqual(checksumOf(checksum.algorithm, bytes));
      },
    );
  }
}
