/** The rules of Function Compute 3.0 for the settings of a function. https://www.alibabacloud.com/help/en/functioncompute/fc/developer-reference/api-fc-2023-03-30-struct-createfunctioninput */
import type { AsyncInvokeConfig, FunctionSpec } from "../contracts";
import { invalidArgument, isName } from "./names";

/** Functions run on this machine's Node.js. */
const STANDARD_RUNTIME = "nodejs20";
const CUSTOM_RUNTIME = "custom.debian10";
/** Where the custom runtime has Node.js. https://www.alibabacloud.com/help/en/functioncompute/fc/custom-runtime/ */
const NODE = "/var/fc/lang/nodejs20/bin/node";
const CPU_STEP = 0.05;
const MEMORY_STEP_MB = 64;
const MAX_ENVIRONMENT_BYTES = 4 * 1024;
const MAX_CODE_BYTES = 100 * 1024 * 1024;
/** On-demand instances of an account per region. */
export const MAX_INSTANCES = 100;
export const DEFAULT_EVENT_AGE_SECONDS = 86_400;

export const isStandard = ({ runtime }: Pick<FunctionSpec, "runtime">): boolean => runtime === STANDARD_RUNTIME;

const isWhole = (value: number, low: number, high: number) => Number.isInteger(value) && value >= low && value <= high;

/** @throws ApiError `InvalidArgument` that names the field and the rule */
export function assertFunction(spec: FunctionSpec, accountId: string): void {
  const refuse = (field: string, rule: string) => {
    throw invalidArgument(`${field} of function '${spec.functionName}' ${rule}`);
  };
  if (!isName(spec.functionName, 64))
    refuse("functionName", "must be 1 to 64 of letters, digits, _ and -, not starting with a digit or -");
  assertRuntime(spec, refuse);
  if (!/^[\w./-]+\.\w+$/.test(spec.handler) || spec.handler.includes(".."))
    refuse("handler", "must be <file without extension>.<exported name>");
  if (spec.role !== undefined && !new RegExp(`^acs:ram::${accountId}:role/[\\w.-]+$`).test(spec.role))
    refuse("role", `must be acs:ram::${accountId}:role/<name>`);
  if (spec.code.length > MAX_CODE_BYTES) refuse("code", `must have at most ${MAX_CODE_BYTES} bytes as zipFile`);
  assertSize(spec, refuse);
  if (!isWhole(spec.timeout, 1, 86_400)) refuse("timeout", "must be 1 to 86400 seconds");
  assertEnvironment(spec.environmentVariables, refuse);
}

type Refuse = (field: string, rule: string) => void;

function assertRuntime({ runtime, customRuntimeConfig: custom, instanceConcurrency }: FunctionSpec, refuse: Refuse): void {
  if (runtime !== STANDARD_RUNTIME && runtime !== CUSTOM_RUNTIME)
    refuse("runtime", `is '${runtime}', which is not served here: only ${STANDARD_RUNTIME} and ${CUSTOM_RUNTIME} are`);
  if (!isWhole(instanceConcurrency, 1, 200)) refuse("instanceConcurrency", "must be 1 to 200");
  if (isStandard({ runtime })) {
    if (custom !== undefined) refuse("customRuntimeConfig", `is for a custom runtime, not for ${runtime}`);
    // https://www.alibabacloud.com/help/en/functioncompute/feature-updates-in-function-compute-3
    if (instanceConcurrency > 1)
      refuse(
        "instanceConcurrency",
        "must be 1: since Function Compute 3.0 only custom runtimes and containers take more at once",
      );
    return;
  }
  if (custom === undefined || custom.command.length !== 1 || custom.command[0] !== NODE)
    refuse("customRuntimeConfig", `must have the command [${NODE}]: no other is served here`);
  if (custom !== undefined && !isWhole(custom.port, 1, 65_535)) refuse("customRuntimeConfig", "must have a port of 1 to 65535");
}

function assertSize({ cpu, memorySize, diskSize }: FunctionSpec, refuse: Refuse): void {
  const steps = cpu / CPU_STEP;
  if (!(cpu >= CPU_STEP && cpu <= 16) || Math.abs(steps - Math.round(steps)) > 1e-9)
    refuse("cpu", `is ${cpu}; it must be a multiple of ${CPU_STEP} from ${CPU_STEP} to 16`);
  if (!isWhole(memorySize, 128, 32_768) || memorySize % MEMORY_STEP_MB !== 0)
    refuse("memorySize", `is ${memorySize}; it must be a multiple of ${MEMORY_STEP_MB} from 128 to 32768`);
  const gigabytesPerCpu = memorySize / 1024 / cpu;
  if (gigabytesPerCpu < 1 - 1e-9 || gigabytesPerCpu > 4 + 1e-9)
    refuse("cpu", `is ${cpu} for ${memorySize} MB; cpu to memory in GB must be between 1:1 and 1:4`);
  if (diskSize !== 512 && diskSize !== 10_240) refuse("diskSize", "must be 512 or 10240");
}

/** https://www.alibabacloud.com/help/en/functioncompute/fc/environment-variables */
function assertEnvironment(variables: Record<string, string>, refuse: Refuse): void {
  let bytes = 0;
  for (const [name, value] of Object.entries(variables)) {
    if (!/^[A-Za-z]\w*$/.test(name)) refuse("environmentVariables", `has ${name}: letters, digits and _, starting with a letter`);
    if (name.startsWith("FC_")) refuse("environmentVariables", `has ${name}: FC_* is reserved`);
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (bytes > MAX_ENVIRONMENT_BYTES)
    refuse("environmentVariables", `has ${bytes} bytes; it must have at most ${MAX_ENVIRONMENT_BYTES}`);
}

/** https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/retry-policy @throws ApiError `InvalidArgument` */
export function assertAsyncNumbers({ maxAsyncRetryAttempts = 0, maxAsyncEventAgeInSeconds = 1 }: AsyncInvokeConfig): void {
  if (!isWhole(maxAsyncRetryAttempts, 0, 8)) throw invalidArgument("maxAsyncRetryAttempts must be 0 to 8");
  if (!isWhole(maxAsyncEventAgeInSeconds, 1, 604_800)) throw invalidArgument("maxAsyncEventAgeInSeconds must be 1 to 604800");
}

/** @throws ApiError `InvalidArgument` */
export function assertConcurrency(reservedConcurrency: number): void {
  if (!isWhole(reservedConcurrency, 0, MAX_INSTANCES)) throw invalidArgument(`reservedConcurrency must be 0 to ${MAX_INSTANCES}`);
}
