/** The files of the page, which `scripts/build-page.ts` writes. They are read once, so that no request leads to a path. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PACKAGE_DIR } from "../places";

export interface PageFile {
  content: Buffer;
  contentType: string;
}

/** By the path of the request. */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** Where the build puts them. */
export const PAGE_DIR = join(PACKAGE_DIR, "dist", "page");

const FILES = [
  { path: "/", name: "index.html", contentType: "text/html; charset=utf-8" },
  { path: "/app.js", name: "app.js", contentType: "text/javascript; charset=utf-8" },
  { path: "/app.css", name: "app.css", contentType: "text/css; charset=utf-8" },
  { path: "/icon.svg", name: "icon.svg", contentType: "image/svg+xml" },
] as const;

/** @throws Error that says how to build the page, if it is not built */
export async function readPageFiles(folder = PAGE_DIR): Promise<PageFiles> {
  const read = FILES.map(async ({ path, name, contentType }): Promise<[string, PageFile]> => {
    const content = await readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT")
        throw new Error(`the page is not built (${join(folder, name)} is missing): npm run build:page`);
      throw error;
    });
    return [path, { content, contentType }];
  });
  return new Map(await Promise.all(read));
}
