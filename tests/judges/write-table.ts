import { writeFile } from "node:fs/promises";
import { README, readmeWithTable } from "./table";

/** After a run with `JUDGES=write` the README's table shows the new lists. */
export default async function writeTable(): Promise<void> {
  if (process.env.JUDGES === "write") await writeFile(README, readmeWithTable());
}
