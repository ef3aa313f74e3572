import { Option } from "commander";
import { MAX_PROBE_SIZE_BYTES } from "../../runtime/protocol/probe";
import { bridgeCommand, type RegisterCommand, whole } from "../command";
import { ASKED_DIRECTIONS } from "./plan";
import { type ProbeOptions, probe, systemDeps } from "./probe";
import { parseSizes, sizeText } from "./sizes";

const DEFAULT_SIZES = "128KiB,256KiB,512KiB,1MiB,2MiB,4MiB";

export const registerProbe: RegisterCommand = (program, onBridge) => {
  const sizes = `of the objects, up to ${sizeText(MAX_PROBE_SIZE_BYTES)}, each in B, KiB or MiB`;
  bridgeCommand(program, "probe", "Measures how long objects take from one side to the other, and draws a chart of it.")
    .addOption(new Option("--sizes <list>", sizes).argParser(parseSizes).default(parseSizes(DEFAULT_SIZES), DEFAULT_SIZES))
    .option("--count <n>", "objects of each size in each direction", whole(1, 1000), 5)
    .addOption(
      new Option("--direction <which>", "back is there in two-way stacks only").choices(ASKED_DIRECTIONS).default("both"),
    )
    .option("--attempts <n>", "looks for an object before it is given up", whole(1, 1_000_000), 600)
    .option("--interval-ms <n>", "between two looks", whole(10, 60_000), 500)
    .option("--parallel <n>", "objects on their way at once; more than one measures them in each other's way", whole(1, 64), 1)
    .option("--pause-ms <n>", "after each object", whole(0, 86_400_000), 0)
    .option("--out <folder>", "for records, summary and chart (default: ./probe-<stack>-<time>)")
    .action((options: ProbeOptions) => onBridge(options, (context) => probe(context, options, systemDeps)));
};
