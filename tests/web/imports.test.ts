/** Which files the page may import, and which may import it. Each rule has an example that breaks it. */
import { join } from "node:path";
import { type Module, modulesOf, readModules } from "../support/module-graph";

const inWeb = (path: string) => path.startsWith("web/");
const inOperator = (path: string) => path.startsWith("operator/");

/** One line for each import that the page may not have. */
function importsOfPage(modules: readonly Module[]): string[] {
  return modules
    .filter(({ path }) => inWeb(path))
    .flatMap(({ path, imports }) =>
      imports
        .filter(({ target, specifier, typeOnly }) => {
          // A style sheet is no module, so it has no target.
          const isOwn = specifier.startsWith("./") && (target === undefined || inWeb(target));
          return !isOwn && !/^preact(\/|$)/.test(specifier) && !(typeOnly && inOperator(target ?? ""));
        })
        .map(({ specifier }) => `${path} imports ${specifier}`),
    );
}

function importersOfPage(modules: readonly Module[]): string[] {
  return modules
    .filter(({ path }) => !inWeb(path) && !path.startsWith("tests/web/"))
    .flatMap(({ path, imports }) =>
      imports.filter(({ target = "" }) => inWeb(target)).map(({ specifier }) => `${path} imports ${specifier}`),
    );
}

const program = readModules(join(__dirname, "..", ".."), ["web", "operator", "local", "scripts", "tests"]);

test("the page runs in a browser: it imports Preact, its own files, and types of the operator's command", () => {
  expect(program.filter(({ path }) => inWeb(path)).length).toBeGreaterThan(5);
  expect(importsOfPage(program)).toEqual([]);
  const broken = modulesOf({
    "web/app.tsx": 'import { remedyOf } from "../operator/overview/remedies"; import "node:fs";',
    "operator/overview/remedies.ts": "export const remedyOf = 1;",
  });
  expect(importsOfPage(broken)).toHaveLength(2);
});

test("nothing imports the page: the operator's command serves what the build makes of it", () => {
  expect(importersOfPage(program)).toEqual([]);
  const broken = modulesOf({
    "operator/watch/server.ts": 'import { wordsOf } from "../../web/i18n";',
    "web/i18n.ts": "export const wordsOf = 1;",
  });
  expect(importersOfPage(broken)).toHaveLength(1);
});
