import { Readable } from "node:stream";
import type { Checksum, ChecksumAlgorithm } from "../../../runtime/protocol/snapshot";
import { checksumOf } from "../../../runtime/stores/checksums";
import { type Context, expectKind, NO_ATTRIBUTES, putText, readBytes, readText, someBytes, streamOf } from "./context";

const UNKNOWN_UPLOAD = "bm8tc3VjaC11cGxvYWQ";

export function uploadChecks(context: Context): void {
  const { check, freshKey, capabilities } = context;
  const partBytes = capabilities.minPartSizeBytes;
  /** Too much to be read into memory first. */
  const streamedBytes = Math.max(partBytes, 2 * 1024 ** 2) + 1;

  /** Two whole parts and a short last one. */
  function threeParts(): Buffer[] {
    return [someBytes(partBytes), someBytes(partBytes), someBytes(11)];
  }

  async function create(key: string, checksumAlgorithm?: ChecksumAlgorithm): Promise<string> {
    const options = checksumAlgorithm === undefined ? {} : { checksumAlgorithm };
    const { uploadId } = await context.store.createUpload(key, { attributes: NO_ATTRIBUTES, ...options });
    return uploadId;
  }

  check("upload-visible", "nothing is visible until completion, then the whole object is", async () => {
    const key = freshKey();
    const bodies = threeParts();
    const uploadId = await create(key);
    const parts = [];
    for (const [index, body] of bodies.entries())
      parts.push(await context.store.uploadPart(key, { uploadId, partNumber: index + 1 }, body));
    expect(await context.store.head(key)).toBeUndefined();
    const { etag } = await context.store.completeUpload(key, uploadId, parts);
    expect(await context.store.head(key)).toMatchObject({ etag, sizeBytes: 2 * partBytes + 11 });
    expect((await readBytes(context, key)).equals(Buffer.concat(bodies))).toBe(true);
  });

  check("upload-streams", "parts that arrive as streams make the same object as bytes do", async () => {
    const key = freshKey();
    const bodies = [someBytes(streamedBytes), someBytes(streamedBytes)];
    const uploadId = await create(key);
    const parts = [];
    for (const [index, body] of bodies.entries()) {
      const part = { uploadId, partNumber: index + 1 };
      parts.push(await context.store.uploadPart(key, part, streamOf(body), { sizeBytes: body.length }));
    }
    expect(parts.map(({ sizeBytes }) => sizeBytes)).toEqual([streamedBytes, streamedBytes]);
    const { etag } = await context.store.completeUpload(key, uploadId, parts);
    expect(await context.store.head(key)).toMatchObject({ etag, sizeBytes: 2 * streamedBytes });
    expect((await readBytes(context, key)).equals(Buffer.concat(bodies))).toBe(true);
  });

  const sendWrongLengths = async (key: string, uploadId: string) => {
    for (const wrong of [-1, 1]) {
      const body = streamOf(someBytes(streamedBytes + wrong));
      const uploaded = context.store.uploadPart(key, { uploadId, partNumber: 1 }, body, { sizeBytes: streamedBytes });
      await expectKind(uploaded, "Corrupted");
      expect(body.destroyed).toBe(true);
    }
  };

  check("upload-stream-length", "a stream that is shorter or longer than promised is Corrupted, and is destroyed", async () => {
    const key = freshKey();
    const uploadId = await create(key);
    await sendWrongLengths(key, uploadId);
    await context.store.abortUpload(key, uploadId);
  });

  check("upload-stream-length-kept", "a stream that is shorter or longer than promised stores no part", async () => {
    const key = freshKey();
    const uploadId = await create(key);
    await sendWrongLengths(key, uploadId);
    expect(await context.store.listParts(key, uploadId)).toEqual([]);
    await context.store.abortUpload(key, uploadId);
  });

  check("upload-stream-broken", "a stream that breaks off is Unavailable", async () => {
    const key = freshKey();
    const uploadId = await create(key);
    const body = Readable.from(
      (async function* () {
        yield someBytes(1024);
        throw new Error("the source is gone");
      })(),
      { objectMode: false },
    );
    const options = { sizeBytes: streamedBytes };
    await expectKind(context.store.uploadPart(key, { uploadId, partNumber: 1 }, body, options), "Unavailable");
    await context.store.abortUpload(key, uploadId);
  });

  check("upload-stream-checksum", "a stream with another checksum than the given one is Corrupted", async () => {
    const key = freshKey();
    const uploadId = await create(key);
    const checksum = checksumOf(capabilities.checksums[0] as ChecksumAlgorithm, Buffer.from("other"));
    const body = streamOf(someBytes(streamedBytes));
    const options = { sizeBytes: streamedBytes, checksum };
    await expectKind(context.store.uploadPart(key, { uploadId, partNumber: 1 }, body, options), "Corrupted");
    await context.store.abortUpload(key, uploadId);
  });

  check("upload-over-object", "an open upload leaves the object of its key alone", async () => {
    const key = freshKey();
    await putText(context, key, "old");
    const uploadId = await create(key);
    await context.store.uploadPart(key, { uploadId, partNumber: 1 }, someBytes(10));
    expect(await readText(context, key)).toBe("old");
    await context.store.abortUpload(key, uploadId);
    expect(await readText(context, key)).toBe("old");
  });

  check("upload-order", "parts may arrive in any order and with gaps; listParts is ascending", async () => {
    const key = freshKey();
    const bodies = threeParts();
    const uploadId = await create(key);
    await context.store.uploadPart(key, { uploadId, partNumber: 7 }, bodies[2] as Buffer);
    await context.store.uploadPart(key, { uploadId, partNumber: 1 }, bodies[0] as Buffer);
    await context.store.uploadPart(key, { uploadId, partNumber: 4 }, bodies[1] as Buffer);
    const parts = await context.store.listParts(key, uploadId);
    expect(parts.map(({ partNumber, sizeBytes }) => [partNumber, sizeBytes])).toEqual([
      [1, partBytes],
      [4, partBytes],
      [7, 11],
    ]);
    await context.store.completeUpload(key, uploadId, parts);
    expect((await readBytes(context, key)).equals(Buffer.concat(bodies))).toBe(true);
  });

  check("upload-resume", "the answer of listParts is enough to resume and to complete", async () => {
    const key = freshKey();
    const bodies = threeParts();
    const uploadId = await create(key);
    const uploaded = await context.store.uploadPart(key, { uploadId, partNumber: 1 }, bodies[0] as Buffer);
    const listed = await context.store.listParts(key, uploadId);
    expect(listed).toMatchObject([{ partNumber: 1, sizeBytes: partBytes, etag: uploaded.etag }]);
    await context.store.uploadPart(key, { uploadId, partNumber: 2 }, bodies[1] as Buffer);
    await context.store.uploadPart(key, { uploadId, partNumber: 3 }, bodies[2] as Buffer);
    await context.store.completeUpload(key, uploadId, await context.store.listParts(key, uploadId));
    expect((await readBytes(context, key)).equals(Buffer.concat(bodies))).toBe(true);
  });

  check("upload-replace-part", "a part uploaded again replaces the earlier one", async () => {
    const key = freshKey();
    const uploadId = await create(key);
    const first = await context.store.uploadPart(key, { uploadId, partNumber: 1 }, Buffer.from("wrong"));
    const second = await context.store.uploadPart(key, { uploadId, partNumber: 1 }, Buffer.from("right"));
    expect(await context.store.listParts(key, uploadId)).toMatchObject([{ partNumber: 1, etag: second.etag }]);
    await expectKind(context.store.completeUpload(key, uploadId, [first]), "Invalid");
    await context.store.completeUpload(key, uploadId, [second]);
    expect(await readText(context, key)).toBe("right");
  });

  check("upload-abort", "every call on an aborted upload is NotFound, except aborting it again", async () => {
    const key = freshKey();
    const uploadId = await create(key);
    const part = await context.store.uploadPart(key, { uploadId, partNumber: 1 }, Buffer.from("x"));
    await context.store.abortUpload(key, uploadId);
    await expectKind(context.store.uploadPart(key, { uploadId, partNumber: 2 }, Buffer.from("y")), "NotFound");
    await expectKind(context.store.listParts(key, uploadId), "NotFound");
    await expectKind(context.store.completeUpload(key, uploadId, [part]), "NotFound");
    await context.store.abortUpload(key, uploadId);
    expect(await context.store.head(key)).toBeUndefined();
  });

  check("upload-completed", "the parts of a completed upload are NotFound", async () => {
    const key = freshKey();
    const uploadId = await create(key);
    const part = await context.store.uploadPart(key, { uploadId, partNumber: 1 }, Buffer.from("x"));
    await context.store.completeUpload(key, uploadId, [part]);
    await expectKind(context.store.listParts(key, uploadId), "NotFound");
    await expectKind(context.store.uploadPart(key, { uploadId, partNumber: 2 }, Buffer.from("y")), "NotFound");
    await context.store.abortUpload(key, uploadId);
    expect(await readText(context, key)).toBe("x");
  });

  check("upload-unknown", "an unknown upload is NotFound, and aborting it succeeds", async () => {
    const key = freshKey();
    await expectKind(context.store.uploadPart(key, { uploadId: UNKNOWN_UPLOAD, partNumber: 1 }, Buffer.from("x")), "NotFound");
    await expectKind(context.store.listParts(key, UNKNOWN_UPLOAD), "NotFound");
    await context.store.abortUpload(key, UNKNOWN_UPLOAD);
  });

  check(
    "upload-invalid-parts",
    "no parts, parts out of order and parts never uploaded are Invalid; the upload goes on",
    async () => {
      const key = freshKey();
      const [body] = threeParts() as [Buffer];
      const uploadId = await create(key);
      const first = await context.store.uploadPart(key, { uploadId, partNumber: 1 }, body);
      const second = await context.store.uploadPart(key, { uploadId, partNumber: 2 }, Buffer.from("end"));
      await expectKind(context.store.completeUpload(key, uploadId, []), "Invalid");
      await expectKind(context.store.completeUpload(key, uploadId, [second, first]), "Invalid");
      await expectKind(context.store.completeUpload(key, uploadId, [first, first]), "Invalid");
      await expectKind(context.store.completeUpload(key, uploadId, [first, { ...second, partNumber: 3 }]), "Invalid");
      expect(await context.store.head(key)).toBeUndefined();
      await context.store.completeUpload(key, uploadId, [first, second]);
      expect((await context.store.head(key))?.sizeBytes).toBe(partBytes + 3);
    },
  );

  check("upload-part-numbers", "part numbers from 1 to maxParts only", async () => {
    const key = freshKey();
    const uploadId = await create(key);
    for (const partNumber of [0, -1, 1.5, capabilities.maxParts + 1])
      await expectKind(context.store.uploadPart(key, { uploadId, partNumber }, Buffer.from("x")), "Invalid");
    const last = await context.store.uploadPart(key, { uploadId, partNumber: capabilities.maxParts }, Buffer.from("last"));
    await context.store.completeUpload(key, uploadId, [last]);
    expect(await readText(context, key)).toBe("last");
  });

  check("upload-too-small", "a part below minPartSizeBytes is Invalid unless it is the last", async () => {
    const key = freshKey();
    const uploadId = await create(key);
    const parts = [
      await context.store.uploadPart(key, { uploadId, partNumber: 1 }, someBytes(partBytes - 1)),
      await context.store.uploadPart(key, { uploadId, partNumber: 2 }, someBytes(1)),
    ];
    await expectKind(context.store.completeUpload(key, uploadId, parts), "Invalid");
    expect(await context.store.head(key)).toBeUndefined();
  });

  check("upload-subset", "parts left out of the completion are not in the object", async () => {
    const key = freshKey();
    const uploadId = await create(key);
    await context.store.uploadPart(key, { uploadId, partNumber: 1 }, Buffer.from("left out"));
    const kept = await context.store.uploadPart(key, { uploadId, partNumber: 2 }, Buffer.from("kept"));
    await context.store.completeUpload(key, uploadId, [kept]);
    expect(await readText(context, key)).toBe("kept");
  });

  for (const algorithm of capabilities.multipartChecksums) checksumChecks(algorithm);

  function checksumChecks(algorithm: ChecksumAlgorithm): void {
    async function uploadAll(key: string) {
      const bodies = threeParts();
      const uploadId = await create(key, algorithm);
      const parts = [];
      for (const [index, body] of bodies.entries())
        parts.push(
          await context.store.uploadPart(key, { uploadId, partNumber: index + 1 }, body, {
            checksum: checksumOf(algorithm, body),
          }),
        );
      return { uploadId, parts, whole: Buffer.concat(bodies) };
    }

    check(
      `upload-${algorithm}`,
      `completion with the right ${algorithm} of the whole object succeeds, and head reports it`,
      async () => {
        const key = freshKey();
        const { uploadId, parts, whole } = await uploadAll(key);
        const checksum = checksumOf(algorithm, whole);
        await context.store.completeUpload(key, uploadId, parts, { checksum });
        expect((await context.store.head(key))?.checksums).toEqual([checksum]);
      },
    );

    check(
      `upload-resumed-${algorithm}`,
      `listParts reports each part's ${algorithm}, and completion with it succeeds`,
      async () => {
        const key = freshKey();
        const { uploadId, parts, whole } = await uploadAll(key);
        const listed = await context.store.listParts(key, uploadId);
        expect(listed).toEqual(parts);
        await context.store.completeUpload(key, uploadId, listed, { checksum: checksumOf(algorithm, whole) });
        expect((await context.store.head(key))?.sizeBytes).toBe(whole.length);
      },
    );

    check(
      `upload-wrong-${algorithm}`,
      `completion with a wrong ${algorithm} of the whole object is Corrupted, nothing becomes visible`,
      async () => {
        const key = freshKey();
        const { uploadId, parts } = await uploadAll(key);
        const checksum: Checksum = checksumOf(algorithm, someBytes(20));
        await expectKind(context.store.completeUpload(key, uploadId, parts, { checksum }), "Corrupted");
        expect(await context.store.head(key)).toBeUndefined();
      },
    );

    check(`part-wrong-${algorithm}`, `a part with a wrong ${algorithm} is Corrupted and not kept`, async () => {
      const key = freshKey();
      const uploadId = await create(key, algorithm);
      const checksum = checksumOf(algorithm, Buffer.from("other"));
      await expectKind(
        context.store.uploadPart(key, { uploadId, partNumber: 1 }, Buffer.from("bytes"), { checksum }),
        "Corrupted",
      );
      expect(await context.store.listParts(key, uploadId)).toEqual([]);
    });
  }

  check("upload-unsupported-checksum", "an upload for a checksum that completion cannot verify is Unsupported", async () => {
    const algorithm = (["SHA1", "CRC64XZ"] as const).find((candidate) => !capabilities.multipartChecksums.includes(candidate));
    if (algorithm === undefined) throw new Error("every checksum is supported: extend this check");
    await expectKind(create(freshKey(), algorithm), "Unsupported");
  });
}
