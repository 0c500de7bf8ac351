import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { workingTreeOf } from "../../data-directory.ts";

/**
 * How whoever reads a report finds a file: relative to the root of its git working tree, else to `GITHUB_WORKSPACE`. A file outside of both is
 * named as it was opened.
 */
export function createSourcePaths(): (path: string) => string {
  const roots = new Map<string, string | undefined>();
  const rootOf = (directory: string): string | undefined => {
    if (!roots.has(directory)) roots.set(directory, workingTreeOf(directory) ?? process.env["GITHUB_WORKSPACE"]);
    return roots.get(directory);
  };
  return (path) => {
    const whole = resolve(path);
    const root = rootOf(dirname(whole));
    const inside = root === undefined ? "" : relative(root, whole);
    const isInside = inside !== "" && inside !== ".." && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
    return isInside ? inside.split(sep).join("/") : path;
  };
}
