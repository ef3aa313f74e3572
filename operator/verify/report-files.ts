/** Opens the files of an inventory report, on this machine or in a bucket. */
import { createReadStream } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ObjectStore } from "../../runtime/stores/object-store";
import { readAll } from "../../runtime/stores/read-all";
import { UsageError } from "../command";
import type { ReportFiles } from "./inventory";

const MAX_MANIFEST_BYTES = 16 * 1024 ** 2;

/** @param place a path, or `s3://bucket/key` or `oss://bucket/key` of a manifest.json */
export function openReport(place: string, openStore: (bucket: string) => Promise<ObjectStore>, signal: AbortSignal): ReportFiles {
  const [, bucket, key] = /^(?:s3|oss):\/\/([^/]+)\/(.+)$/.exec(place) ?? [];
  if (bucket === undefined || key === undefined) return reportInFolder(place);
  const store = openStore(bucket);
  return {
    async manifest() {
      const { body } = await (await store).get(key, { signal });
      return (await readAll(body, MAX_MANIFEST_BYTES)).toString("utf8");
    },
    open: async (file) => (await (await store).get(file, { signal })).body,
  };
}

function reportInFolder(path: string): ReportFiles {
  const folder = dirname(path);
  return {
    manifest: () => readFile(path, "utf8").catch(unreadable(path)),
    async open(key) {
      const name = basename(key);
      // As in the bucket, where `data/` is beside the folder of the manifest; or beside the manifest.
      const places = [join(folder, "..", "data", name), join(folder, "data", name), join(folder, name)];
      for (const place of places)
        if (await isThere(place)) {
          return createReadStream(place);
        }
      throw new UsageError(`${name} of the inventory is not on this machine; it may be in ${places.join(", ")}`);
    },
  };
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const unreadable = (path: string) => (error: NodeJS.ErrnoException) => {
  throw new UsageError(`${path} cannot be read: ${error.code ?? error.message}`, { cause: error });
};
