/** `*` matches within a segment, `**` across; alone, `*` is everything. */
export function matchesGlob(glob: string, text: string): boolean {
  const pattern = glob.replaceAll(/[.+?^${}()|[\]\\/]/g, "\\$&").replaceAll(/\*+/g, (stars) => (glob === "*" || stars.length > 1 ? ".*" : "[^/]*"));
  return new RegExp(`^${pattern}$`, "s").test(text);
}

function plainSpelling(resource: string): string {
  const decoded = [1, 2, 3].reduce(
    (text) => text.replaceAll(/%[0-9a-f]{2}/gi, (coded) => String.fromCharCode(Number(`0x${coded.slice(1)}`))),
    resource,
  );
  let text = decoded
    .normalize("NFKC")
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, "")
    .replaceAll("\\", "/");
  while (text.includes("//") || text.includes("/./")) text = text.replaceAll("//", "/").replaceAll("/./", "/");
  return text.toLowerCase();
}

/** Whole; without its query; either with parents resolved; and that without what tools drop at the end. */
export function spellingsOf(resource: string): readonly string[] {
  const plain = plainSpelling(resource);
  const cut = plain.slice(0, [...plain].findIndex((character) => character === "?" || character === "#") >>> 0);
  return [plain, cut].flatMap((text) => {
    const segments: string[] = [];
    for (const segment of text.split("/")) {
      if (segment === ".." && segments.length > 0) segments.pop();
      else segments.push(segment);
    }
    const resolved = segments.join("/");
    let trimmed = resolved.endsWith("::$data") ? resolved.slice(0, -7) : resolved;
    while (/[\s./]$/.test(trimmed)) trimmed = trimmed.slice(0, -1);
    return [text, resolved, trimmed];
  });
}

/** What a tool may read as another resource than it looks like. */
export const isObscured = (resource: string): boolean =>
  /\\|%[0-9a-f]{2}|[\p{Cc}\p{Cf}]|::\$/iu.test(resource) ||
  resource.trim() !== resource ||
  resource.split("/").some((segment) => [".", ".."].includes(segment.split(":").at(-1) ?? ""));
