import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { link, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Crc64 } from "../../crc64";
import type { Content, Segment } from "./model";

export interface Received extends Content {
  md5: string;
}

/** The files that hold object data. Each is written once under a new name and never changed. */
export class DataFiles {
  private readonly folder: string;
  /** Number of readers by file. */
  private readonly readers = new Map<string, number>();
  /** Files to delete when their last reader has finished. */
  private readonly doomed = new Set<string>();

  constructor(folder: string) {
    this.folder = folder;
  }

  private path(file: string): string {
    return join(this.folder, file.slice(0, 2), file);
  }

  /** Streams the source to a new file. When the source fails, the file is deleted. */
  async receive(source: Readable): Promise<Received> {
    const file = randomUUID();
    const md5 = createHash("md5");
    const crc = new Crc64();
    let sizeBytes = 0;
    const measure = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        md5.update(chunk);
        crc.update(chunk);
        sizeBytes += chunk.byteLength;
        done(null, chunk);
      },
    });
    await mkdir(dirname(this.path(file)), { recursive: true });
    try {
      await pipeline(source, measure, createWriteStream(this.path(file)));
    } catch (error) {
      await rm(this.path(file), { force: true });
      throw error;
    }
    return {
      segments: [{ file, sizeBytes }],
      sizeBytes,
      crc64: crc.digest(),
      md5: md5.digest("base64"),
    };
  }

  /** Makes hard links to files of `from`, which may be this or another bucket. */
  async share(segments: readonly Segment[], from: DataFiles): Promise<Segment[]> {
    const shared: Segment[] = [];
    for (const { file, sizeBytes } of segments) {
      const copy = randomUUID();
      await mkdir(dirname(this.path(copy)), { recursive: true });
      await link(from.path(file), this.path(copy));
      shared.push({ file: copy, sizeBytes });
    }
    return shared;
  }

  /** Keeps the files readable until `release`, also when they are deleted before. */
  hold(segments: readonly Segment[]): { release(): Promise<void> } {
    for (const { file } of segments) this.readers.set(file, (this.readers.get(file) ?? 0) + 1);
    let released = false;
    return {
      release: async () => {
        if (released) return;
        released = true;
        for (const { file } of segments) {
          const left = (this.readers.get(file) ?? 1) - 1;
          if (left > 0) {
            this.readers.set(file, left);
            continue;
          }
          this.readers.delete(file);
          if (this.doomed.delete(file)) await rm(this.path(file), { force: true });
        }
      },
    };
  }

  /** Bytes `start` to `end`, both included, across the segments. Hold them while reading. */
  read(segments: readonly Segment[], start: number, end: number): Readable {
    const path = (file: string) => this.path(file);
    return Readable.from(
      (async function* () {
        let offset = 0;
        for (const { file, sizeBytes } of segments) {
          const from = Math.max(start - offset, 0);
          const to = Math.min(end - offset, sizeBytes - 1);
          if (from <= to) yield* createReadStream(path(file), { start: from, end: to, highWaterMark: 256 * 1024 });
          offset += sizeBytes;
        }
      })(),
      { objectMode: false },
    );
  }

  async remove(segments: readonly Segment[]): Promise<void> {
    for (const { file } of segments) {
      if (this.readers.has(file)) this.doomed.add(file);
      else await rm(this.path(file), { force: true });
    }
  }

  /** Deletes files that no record names. A process leaves them when it ends between writing data and record. */
  async sweep(kept: ReadonlySet<string>): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    for (const folder of await readdir(this.folder))
      for (const file of await readdir(join(this.folder, folder)))
        if (!kept.has(file)) await rm(join(this.folder, folder, file), { force: true });
  }
}
