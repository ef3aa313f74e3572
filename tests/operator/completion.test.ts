/** The completion of the shells, run in bash, which every machine of the tests has. */
import { execFileSync } from "node:child_process";
import { Argument, Command } from "commander";
import { bridgeCommand } from "../../operator/command";
import { completionOf, registerCompletion, SHELLS } from "../../operator/completion";

function program(): Command {
  const made = new Command("crossborderbridge");
  bridgeCommand(made, "status", "Shows the status: of keys, or all keys.").option("--max-age <time>", "fails beyond it's time");
  bridgeCommand(made, "redrive", "Hands letters over.").option("--dry-run", "does nothing");
  made.command("side").addArgument(new Argument("<which>", "of the two").choices(["source", "destination"]));
  return made;
}

/** The words that bash offers for the last one. */
function inBash(...words: string[]): string[] {
  const given = words.map((word) => `'${word}'`).join(" ");
  const script = `${completionOf("bash", program())}
COMP_WORDS=(crossborderbridge ${given}); COMP_CWORD=${words.length}; _crossborderbridge; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["-c", script], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line !== "");
}

test("bash completes commands, their options and the choices of their arguments", () => {
  expect(inBash("")).toEqual(["status", "redrive", "side"]);
  expect(inBash("st")).toEqual(["status"]);
  expect(inBash("status", "--ma")).toEqual(["--max-age"]);
  expect(inBash("status", "--local", "--o")).toEqual(["--outputs"]);
  expect(inBash("redrive", "--dr")).toEqual(["--dry-run"]);
  expect(inBash("side", "so")).toEqual(["source"]);
  expect(inBash("nothing", "--")).toEqual([]);
});

test("zsh and fish have the same words, with their descriptions", () => {
  const zsh = completionOf("zsh", program());
  expect(zsh).toMatch(/^#compdef crossborderbridge\n/);
  expect(zsh).toContain("'status:Shows the status\\: of keys, or all keys.'");
  expect(zsh).toContain("'--max-age:fails beyond it'\\''s time'");
  const fish = completionOf("fish", program()).split("\n");
  expect(fish).toContain("complete -c crossborderbridge -f -n __fish_use_subcommand -a 'redrive' -d 'Hands letters over.'");
  expect(fish).toContain("complete -c crossborderbridge -n '__fish_seen_subcommand_from redrive' -l dry-run -d 'does nothing'");
  expect(fish).toContain(
    "complete -c crossborderbridge -n '__fish_seen_subcommand_from status' -l max-age -r -d 'fails beyond it'\\''s time'",
  );
});

test.each(SHELLS)("the command prints the completion of %s", async (shell) => {
  const made = program();
  const printed: string[] = [];
  made.configureOutput({ writeOut: (text) => void printed.push(text) });
  const unopened = () => Promise.reject(new Error("no bridge is opened"));
  registerCompletion(made, unopened, unopened);
  await made.parseAsync(["completion", shell], { from: "user" });
  expect(printed).toEqual([`${completionOf(shell, made)}\n`]);
});
