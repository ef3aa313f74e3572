import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DataFiles } from "./data-files";
import { isDraft, readJson, writeJson } from "./json-file";
import { KeyLock } from "./key-lock";
import type { Attributes, Part, Upload } from "./model";

const HEAD = "upload.json";

/** The multipart uploads of a bucket that are neither completed nor aborted. */
export class UploadRecords {
  private readonly lock = new KeyLock();
  private readonly folder: string;
  private readonly data: DataFiles;
  private readonly uploads: Map<string, Upload>;

  private constructor(folder: string, data: DataFiles, uploads: Map<string, Upload>) {
    this.folder = folder;
    this.data = data;
    this.uploads = uploads;
  }

  /** @param visible files of objects; an upload that shares one was completed just before the process ended */
  static async load(folder: string, data: DataFiles, visible: ReadonlySet<string>): Promise<UploadRecords> {
    const uploads = new Map<string, Upload>();
    await mkdir(folder, { recursive: true });
    for (const uploadId of await readdir(folder)) {
      const names = (await readdir(join(folder, uploadId))).filter((name) => !isDraft(name));
      // upload.json is written first and removed first, so parts without it belong to an upload that ended.
      if (!names.includes(HEAD)) {
        await rm(join(folder, uploadId), { recursive: true });
        continue;
      }
      const upload = await readJson<Upload>(join(folder, uploadId, HEAD));
      for (const name of names) {
        if (name === HEAD) continue;
        const part = await readJson<Part>(join(folder, uploadId, name));
        upload.parts[part.partNumber] = part;
      }
      const completed = Object.values(upload.parts).some(({ segments }) => segments.some(({ file }) => visible.has(file)));
      if (completed) await rm(join(folder, uploadId), { recursive: true });
      else uploads.set(uploadId, upload);
    }
    return new UploadRecords(folder, data, uploads);
  }

  all(): Iterable<Upload> {
    return this.uploads.values();
  }

  /** Undefined also when the upload has another key. */
  find(key: string, uploadId: string): Upload | undefined {
    const upload = this.uploads.get(uploadId);
    return upload?.key === key ? upload : undefined;
  }

  async create(key: string, attributes: Attributes, initiated: number): Promise<Upload> {
    const upload: Upload = { uploadId: randomBytes(16).toString("hex").toUpperCase(), key, initiated, attributes, parts: {} };
    await writeJson(join(this.folder, upload.uploadId, HEAD), upload);
    this.uploads.set(upload.uploadId, upload);
    return upload;
  }

  /** Replaces an earlier part of the same number. When the upload has ended, deletes the data and returns false. */
  putPart(uploadId: string, part: Part): Promise<boolean> {
    return this.lock.run(uploadId, async () => {
      const upload = this.uploads.get(uploadId);
      if (upload === undefined) {
        await this.data.remove(part.segments);
        return false;
      }
      const before = upload.parts[part.partNumber];
      await writeJson(join(this.folder, uploadId, `${part.partNumber}.json`), part);
      upload.parts[part.partNumber] = part;
      if (before !== undefined) await this.data.remove(before.segments);
      return true;
    });
  }

  /**
   * Ends an upload. `consume` gets the upload (undefined when it has ended already) and returns the numbers of the parts whose data is kept;
   * the other parts are deleted. When `consume` throws, the upload stays.
   */
  end<T>(
    uploadId: string,
    consume: (upload: Upload | undefined) => Promise<{ used: ReadonlySet<number>; result: T }>,
  ): Promise<T> {
    return this.lock.run(uploadId, async () => {
      const upload = this.uploads.get(uploadId);
      const { used, result } = await consume(upload);
      if (upload === undefined) return result;
      this.uploads.delete(uploadId);
      await rm(join(this.folder, uploadId, HEAD), { force: true });
      await rm(join(this.folder, uploadId), { recursive: true, force: true });
      for (const part of Object.values(upload.parts)) if (!used.has(part.partNumber)) await this.data.remove(part.segments);
      return result;
    });
  }
}
