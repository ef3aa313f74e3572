/** A disk of some KiB that can really be full. To mount one takes root on Linux; elsewhere its tests are skipped, and counted as such. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const mounted = (folder: string, sizeBytes: number) =>
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", folder], { stdio: "pipe" });
const unmounted = (folder: string) => execFileSync("umount", [folder], { stdio: "pipe" });

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "small-disk-"));
  try {
    mounted(folder, 4096);
    unmounted(folder);
    return true;
  } catch {
    // Not root, not Linux, or a container without the right.
    return false;
  } finally {
    rmdirSync(folder);
  }
}

export interface SmallDisk {
  folder: string;
  /** Takes all room that is left. */
  fill(): void;
  /** Gives it back. */
  makeRoom(): void;
}

/** Like `test`, with a disk of its own. */
export const onSmallDisk = (name: string, sizeBytes: number, work: (disk: SmallDisk) => Promise<void>): void =>
  (canMount() ? test : test.skip)(name, async () => {
    const folder = mkdtempSync(join(tmpdir(), "small-disk-"));
    mounted(folder, sizeBytes);
    const ballast = join(folder, "ballast");
    const fill = () => {
      for (let chunk = Buffer.alloc(65_536); chunk.length > 0; ) {
        try {
          appendFileSync(ballast, chunk);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
          chunk = chunk.subarray(0, chunk.length >> 1);
        }
      }
    };
    try {
      await work({ folder, fill, makeRoom: () => rmSync(ballast, { force: true }) });
    } finally {
      unmounted(folder);
      rmdirSync(folder);
    }
  });
