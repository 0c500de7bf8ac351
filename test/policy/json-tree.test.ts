import fc from "fast-check";
import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { describe, expect, it } from "vitest";
import { toEnd } from "../../src/core/steps.ts";
import { treeOf } from "../../src/policy/json-tree.ts";

const LIMITS = { nestingMax: 50, valuesMax: 10_000 };
const take = (text: string) => toEnd(treeOf(text, LIMITS));

/** Without the way up, which would be compared again for every node. */
const plain = ({ parent: _, colonOffset: __, children, ...rest }: Node): object => ({ ...rest, ...(children && { children: children.map(plain) }) });

/** `InvalidCommentToken` → `invalid comment token`. */
const wordsOf = (code: string): string => code.replaceAll(/(?!^)([A-Z])/g, " $1").toLowerCase();

/** What jsonc-parser makes of it: the tree, or the first error. */
function reference(text: string): object {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const [first] = errors;
  if (first) return { kind: "not-json", offset: first.offset, why: wordsOf(printParseErrorCode(first.error)) };
  return root ? plain(root) : { none: true };
}

/** Ours says some things more plainly, and points at the comma that is too much instead of what stands behind it. */
const INSTEAD: Readonly<Record<string, string>> = {
  "comments are not allowed": "invalid comment token",
  "the file is empty": "value expected",
  "a comma before the end of the list": "value expected",
  "a comma before the end of the object": "property name expected",
};

const own = (text: string): object => {
  const tree = take(text);
  if (!("why" in tree)) return plain(tree);
  const { why, offset } = tree;
  const behind = /^,\s*/.exec(text.slice(offset))?.[0].length ?? 0;
  return { ...tree, why: INSTEAD[why] ?? why, offset: why.startsWith("a comma") ? offset + behind : offset };
};

/** JSON as a person might have broken it: parts cut out, doubled or replaced. */
const broken = fc
  .tuple(
    fc.json({ maxDepth: 5 }),
    fc.array(
      fc.tuple(fc.nat(), fc.nat(4), fc.constantFrom("", ",", "}", "]", '"', "{", ":", "//", "/*", "tru", "-", "1e", "\\", "\n", "\u0007", "é")),
      { maxLength: 3 },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((before, [at, length, put]) => {
      const from = at % (before.length + 1);
      return before.slice(0, from) + put + before.slice(from + length);
    }, text),
  );

describe("the tree of a text", () => {
  it("is the one that jsonc-parser builds, or its first complaint", () => {
    fc.assert(
      fc.property(broken, (text) => {
        expect(own(text)).toEqual(reference(text));
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    { text: "", offset: 0, why: "the file is empty" },
    { text: " \n", offset: 2, why: "the file is empty" },
    { text: "[1, 2 , ]", offset: 6, why: "a comma before the end of the list" },
    { text: '{ "a": [],\n}', offset: 9, why: "a comma before the end of the object" },
    { text: "[1, // one\n2]", offset: 4, why: "comments are not allowed" },
    { text: "[,]", offset: 1, why: "value expected" },
  ])("says of $text what its author did", ({ text, offset, why }) => {
    expect(take(text)).toEqual({ kind: "not-json", offset, why });
  });

  it("leads back up", () => {
    const tree = take('{ "a": [1, { "b": 2 }] }');
    const walk = (node: Node): void => {
      for (const child of node.children ?? []) {
        expect(child.parent).toBe(node);
        walk(child);
      }
    };
    if ("why" in tree) throw new Error(tree.why);
    walk(tree);
  });

  it.each([
    { says: "too deep", text: "[".repeat(51), offset: 50, why: "more than 50 levels of nesting" },
    { says: "too deep, and broken behind that", text: `${'{"a":'.repeat(51)}!`, offset: 250, why: "more than 50 levels of nesting" },
    { says: "too long", text: `[${"1,".repeat(10_000)}1]`, offset: 19_999, why: "more than 10000 keys and values" },
  ])("is not built when it is $says", ({ text, offset, why }) => {
    expect(take(text)).toEqual({ kind: "too-big", offset, why });
  });

  it("is built in steps", () => {
    const steps = treeOf(JSON.stringify(Array.from({ length: 5_000 }, () => 1)), LIMITS);
    let count = 0;
    while (!steps.next().done) count++;
    expect(count).toBe(20);
  });
});
