import { readFileSync } from "node:fs";

/** What package.json says. */
export const VERSION = versionOf(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

function versionOf(text: string): string {
  const manifest: { readonly version: string } = JSON.parse(text);
  return manifest.version;
}
