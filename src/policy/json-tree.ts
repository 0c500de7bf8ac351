import { createScanner, type Node } from "jsonc-parser";
import type { Steps } from "../core/steps.ts";

export interface TreeLimits {
  /** Levels of objects and lists, the outermost being 1. */
  readonly nestingMax: number;
  /** Objects, lists, keys and values together. */
  readonly valuesMax: number;
}

/** Why a text has no tree, and where. */
export interface TreeProblem {
  readonly kind: "not-json" | "too-big";
  readonly offset: number;
  readonly why: string;
}

/** Tokens between two pauses: well below a millisecond. */
const TOKENS_PER_STEP = 500;

/** jsonc-parser's `SyntaxKind`, which is an enum that only its own compiler can read. */
const TOKEN = {
  openBrace: 1,
  closeBrace: 2,
  openBracket: 3,
  closeBracket: 4,
  comma: 5,
  colon: 6,
  null: 7,
  true: 8,
  false: 9,
  string: 10,
  number: 11,
  lineComment: 12,
  blockComment: 13,
  lineBreak: 14,
  space: 15,
  unknown: 16,
  end: 17,
} as const;

/** And its `ScanError`. */
const SCAN_ERRORS: Readonly<Record<number, string>> = {
  2: "unexpected end of string",
  3: "unexpected end of number",
  4: "invalid unicode",
  5: "invalid escape character",
  6: "invalid character",
};

/**
 * The tree that jsonc-parser's `parseTree` makes of a JSON text, or the first thing that is wrong with it. It can pause, and neither calls
 * itself for each level nor builds anything beyond the limits.
 */
export function* treeOf(text: string, limits: TreeLimits): Steps<Node | TreeProblem> {
  const scanner = createScanner(text);
  const tree = new GrowingTree(limits);
  for (let count = 1; ; count++) {
    const kind: number = scanner.scan();
    const offset = scanner.getTokenOffset();
    const error = kind === TOKEN.lineComment || kind === TOKEN.blockComment ? "comments are not allowed" : SCAN_ERRORS[scanner.getTokenError()];
    if (error !== undefined) return { kind: "not-json", offset, why: error };
    if (kind !== TOKEN.space && kind !== TOKEN.lineBreak) {
      const problem = tree.take({ kind, offset, length: scanner.getTokenLength(), value: scanner.getTokenValue() });
      if (problem) return { offset, ...problem };
      if (kind === TOKEN.end && tree.root) return tree.root;
    }
    if (count % TOKENS_PER_STEP === 0) yield;
  }
}

interface Token {
  readonly kind: number;
  readonly offset: number;
  readonly length: number;
  readonly value: string;
}

/** At the token in hand, unless it says otherwise. */
type Refused = Omit<TreeProblem, "offset"> & Partial<Pick<TreeProblem, "offset">>;
const notJson = (why: string): Refused => ({ kind: "not-json", why });

/** What may come next: `first` is a key or value right behind the opening of what holds it. */
type Expected = "value" | "first value" | "key" | "first key" | "colon" | "comma" | "end";

type GrowingNode = { -readonly [K in keyof Node]: Node[K] };

class GrowingTree {
  root: Node | undefined;
  readonly #limits: TreeLimits;
  /** Objects, lists and properties under way, the innermost last. */
  readonly #open: GrowingNode[] = [];
  #expected: Expected = "value";
  #commaOffset = 0;
  #depth = 0;
  #values = 0;

  constructor(limits: TreeLimits) {
    this.#limits = limits;
  }

  take(token: Token): Refused | undefined {
    const { kind } = token;
    if (kind === TOKEN.unknown) return notJson("invalid symbol");
    switch (this.#expected) {
      case "value":
        return this.#value(token);
      case "first value":
        if (kind === TOKEN.closeBracket) return this.#close(token);
        return kind === TOKEN.end ? notJson("close bracket expected") : this.#value(token);
      case "first key":
        if (kind === TOKEN.closeBrace) return this.#close(token);
        if (kind === TOKEN.end) return notJson("close brace expected");
        return kind === TOKEN.comma ? notJson("value expected") : this.#key(token);
      case "key":
        return this.#key(token);
      case "colon":
        if (kind !== TOKEN.colon) return notJson("colon expected");
        this.#expected = "value";
        return undefined;
      case "comma":
        return this.#commaOrClose(token);
      case "end":
        return kind === TOKEN.end ? undefined : notJson("end of file expected");
    }
  }

  #commaOrClose(token: Token): Refused | undefined {
    const inObject = this.#open.at(-1)?.type === "object";
    if (token.kind === (inObject ? TOKEN.closeBrace : TOKEN.closeBracket)) return this.#close(token);
    if (token.kind === TOKEN.end) return notJson(inObject ? "close brace expected" : "close bracket expected");
    if (token.kind !== TOKEN.comma) return notJson("comma expected");
    this.#commaOffset = token.offset;
    this.#expected = inObject ? "key" : "value";
    return undefined;
  }

  #key({ kind, offset, length, value }: Token): Refused | undefined {
    if (kind === TOKEN.closeBrace) return this.#trailingComma("object");
    if (kind !== TOKEN.string) return notJson("property name expected");
    const property: GrowingNode = { type: "property", offset, length: -1, children: [] };
    this.#open.push(this.#hang(property));
    this.#hang({ type: "string", value, offset, length });
    this.#expected = "colon";
    return this.#refuseTooMany();
  }

  #value(token: Token): Refused | undefined {
    const { offset, length } = token;
    switch (token.kind) {
      case TOKEN.openBrace:
      case TOKEN.openBracket: {
        if (++this.#depth > this.#limits.nestingMax) return { kind: "too-big", why: `more than ${this.#limits.nestingMax} levels of nesting` };
        const isObject = token.kind === TOKEN.openBrace;
        this.#open.push(this.#hang({ type: isObject ? "object" : "array", offset, length: -1, children: [] }));
        this.#expected = isObject ? "first key" : "first value";
        return this.#refuseTooMany();
      }
      case TOKEN.string:
        return this.#literal({ type: "string", value: token.value, offset, length });
      case TOKEN.number:
        return this.#literal({ type: "number", value: Number(token.value), offset, length });
      case TOKEN.true:
      case TOKEN.false:
        return this.#literal({ type: "boolean", value: token.kind === TOKEN.true, offset, length });
      case TOKEN.null:
        return this.#literal({ type: "null", value: null, offset, length });
      case TOKEN.closeBracket:
        // In a list a value is only awaited behind a comma.
        return this.#open.at(-1)?.type === "array" ? this.#trailingComma("list") : notJson("value expected");
      case TOKEN.end:
        return notJson(this.#open.length === 0 ? "the file is empty" : "value expected");
      default:
        return notJson("value expected");
    }
  }

  #trailingComma(of: "object" | "list"): Refused {
    return { ...notJson(`a comma before the end of the ${of}`), offset: this.#commaOffset };
  }

  #literal(node: Node): Refused | undefined {
    this.#hang(node);
    this.#complete(node.offset + node.length);
    return this.#refuseTooMany();
  }

  #close({ offset, length }: Token): undefined {
    const closed = this.#open.pop();
    if (closed) closed.length = offset + length - closed.offset;
    this.#depth--;
    this.#complete(offset + length);
  }

  /** A value has ended, and with it the property that it belongs to. */
  #complete(endOffset: number): void {
    const property = this.#open.at(-1);
    if (property?.type === "property") {
      property.length = endOffset - property.offset;
      this.#open.pop();
    }
    this.#expected = this.#open.length === 0 ? "end" : "comma";
  }

  #hang(node: GrowingNode): GrowingNode {
    const parent = this.#open.at(-1);
    this.#values++;
    if (!parent) this.root = node;
    else {
      node.parent = parent;
      parent.children?.push(node);
    }
    return node;
  }

  #refuseTooMany(): Refused | undefined {
    if (this.#values <= this.#limits.valuesMax) return undefined;
    return { kind: "too-big", why: `more than ${this.#limits.valuesMax} keys and values` };
  }
}
