import type { Command } from "commander";
import { addCatalogImport } from "./catalog-import.ts";
import { addCatalogPin } from "./catalog-pin.ts";

/** `behest catalog …`: what is kept of tools. */
export function addCatalog(program: Command): void {
  const catalog = program
    .command("catalog")
    .description("keep the catalog of tools in step with the servers that have them")
    .addHelpText("after", "\nExample:\n  behest catalog pin tools.json --server crm --check\n");
  addCatalogImport(catalog);
  addCatalogPin(catalog);
}
