/** The processes that run a function on the local cloud. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { LocalPartition } from "../../../local/aws/local-aws";

/** Pids of the function's workers. They are children of the partition's process, and their code folder has the function's name. */
export async function workersOf({ pid }: LocalPartition, functionName: string): Promise<number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,args="]);
  return stdout.split("\n").flatMap((line) => {
    const [, worker, parent, command = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(parent) === pid && command.includes(`/ministack-lambda-${functionName}-`) ? [Number(worker)] : [];
  });
}

/**
 * Kills all workers of the function, like a crash.
 * @returns the number of workers
 */
export async function killWorkers(cloud: LocalPartition, functionName: string): Promise<number> {
  const workers = await workersOf(cloud, functionName);
  for (const worker of workers) {
    try {
      process.kill(worker, "SIGKILL");
    } catch (error) {
      // The worker has already ended.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
  return workers.length;
}
