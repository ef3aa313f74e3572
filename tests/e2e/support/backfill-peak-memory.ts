/** Is imported before a program. At exit it writes the peak memory in bytes to descriptor 3. */
import { readFileSync, writeSync } from "node:fs";

/** Peak memory from the kernel. It does not include the memory of the parent before `exec`. */
function peakBytes(): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kibibytes) * 1024;
}

process.on("exit", () => writeSync(3, String(peakBytes())));
