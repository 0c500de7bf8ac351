import { createHash } from "node:crypto";
import type { Canonical } from "./ports.ts";
import type { JsonObject } from "./words.ts";

/** What an agent is shown of a tool, as the tool's own MCP server lists it. */
export interface ToolDefinition {
  /** The server's own, without the `server/` that a catalog may put before it. */
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
}

/**
 * `sha256:` and 64 hexadecimal digits: SHA-256 over the UTF-8 bytes of the RFC 8785 form of one object with just these members. Annotations, titles
 * and output schemas are left out: a model acts on what it is told to send, and servers change the rest freely.
 */
export function definitionDigest({ name, description, inputSchema }: ToolDefinition, canonical: Canonical): string {
  const shown = { name, ...(description !== undefined && { description }), inputSchema };
  return `sha256:${createHash("sha256").update(canonical(shown), "utf8").digest("hex")}`;
}
