import { listStacks } from "../../../local/local-stack";
import { eventually } from "../../e2e/support/eventually";
import { runScript } from "./cli-process";

test("every example stack previews without a cloud and without credentials", async () => {
  const stacks = await listStacks();
  const command = runScript("preview.ts", []);
  const exitCode = await command.ended;
  const summaries = command.stdout().match(/^\S+: \d+ to create$/gm) ?? [];
  expect({ exitCode, stacks: summaries.map((line) => line.split(":")[0]) }).toEqual({ exitCode: 0, stacks });
  for (const line of summaries) expect(Number(/\d+/.exec(line.split(":")[1] ?? "")?.[0])).toBeGreaterThan(20);
  expect(command.stdout()).not.toMatch(/whsec_|error:/);
  expect(command.runFolders()).toEqual([]);
}, 180_000);

test("the error for an unknown stack lists the known stacks", async () => {
  const command = runScript("preview.ts", ["nowhere"]);
  expect(await command.ended).toBe(1);
  expect(command.stderr()).toContain(`there is no stack "nowhere"; there are: ${(await listStacks()).join(", ")}`);
});

test("Ctrl-C ends the preview with its processes and removes its folder", async () => {
  const command = runScript("preview.ts", ["dev"]);
  await command.line(/^Previewing update/);
  command.noteProcesses();
  command.signal("SIGINT");
  expect(await command.ended).toBe(130);
  expect(command.runFolders()).toEqual([]);
  await eventually(() => expect(command.survivors()).toEqual([]), { deadlineMs: 5_000, what: "its processes are gone" });
}, 60_000);
