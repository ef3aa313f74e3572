/** https://www.alibabacloud.com/help/en/ros/developer-reference/aliyun-fc3-function */
const MEMORY_STEP_MB = 64;
const CPU_STEPS_PER_CPU = 20;
/** GB of memory to one vCPU; between 1 and 4 are allowed. */
const GB_PER_CPU = 2;

/** A size that Function Compute sells: at least this memory, and CPU in proportion. */
export function functionSize(memoryMb: number): { memorySize: number; cpu: number } {
  const memorySize = Math.ceil(memoryMb / MEMORY_STEP_MB) * MEMORY_STEP_MB;
  const steps = Math.ceil((memorySize / 1024 / GB_PER_CPU) * CPU_STEPS_PER_CPU);
  return { memorySize, cpu: steps / CPU_STEPS_PER_CPU };
}
