import type { FactDeclaration } from "../core/fact.ts";
import { FACTS } from "../core/facts.ts";
import { orMean, type Said, suggestionOf } from "./complaints.ts";
import type { Document, Node } from "./document.ts";

/** A fact that a condition reads. */
export interface FactReference {
  /** The declared name. */
  readonly name: string;
  readonly declaration: FactDeclaration;
  /** What follows it, into an open map. */
  readonly path: readonly (string | number)[];
}

const PATH = /^\$?((?:\.[A-Za-z0-9_-]+|\[\d{1,4}\])*)$/;

/** Reads a fact's name and path, joined, as the longest declared name and what remains. Undefined after complaining. */
export function readFact(node: Node, pathNode: Node | undefined, document: Document): FactReference | undefined {
  if (node.type !== "string") {
    document.error("wrong-type", node, "`fact` is a fact's name");
    return undefined;
  }
  const stated = String(node.value);
  const dotted = PATH.exec(`.${stated}`);
  const path =
    pathNode === undefined
      ? ""
      : pathNode.type === "string" && String(pathNode.value).startsWith("$")
        ? PATH.exec(String(pathNode.value))?.[1]
        : undefined;
  if (path === undefined) {
    document.error("fact-path", pathNode ?? node, "a path has the form `$.a.b[0]`: names and list positions, nothing else");
    return undefined;
  }
  const segments = dotted ? segmentsOf(`${dotted[1]}${path}`) : [];
  const name = longestDeclared(segments);
  if (name === undefined) {
    document.error("unknown-fact", node, whyNoFact(stated, `unknown fact \`${stated}\``));
    return undefined;
  }
  const declaration = FACTS[name] as FactDeclaration;
  const rest = segments.slice(name.split(".").length);
  if (rest.length > 0 && declaration.type !== "map") {
    const whole = `${name}.${rest.join(".")}`;
    document.error(
      "unknown-fact",
      node,
      `unknown fact \`${whole}\`: \`${name}\` is ${declaration.type === "list" ? "a list" : `of type ${declaration.type}`} and has no parts`,
    );
    return undefined;
  }
  return { name, declaration, path: rest };
}

const ABOUT_TIME = /(^|[._])(time|timestamp|clock|now|date|day|weekday|hour|minute)([._]|$)/i;

/** What to do about a fact that there is not: take the one that is near, let somebody say it, or look. */
export function whyNoFact(name: string, message: string): Said {
  if (ABOUT_TIME.test(name.slice(0, 200)))
    return `${message}: a decision can be made again at any time, so rules have no clock; let the gateway say \`context.attributes.hour\`, and guard it by \`present\``;
  const said = orMean(message, name, Object.keys(FACTS));
  return suggestionOf(said) === undefined ? `${message}; \`behest facts\` lists them all` : said;
}

/** `fact` and `path` as one name, which is read as the same fact. Undefined where the two are none. */
export function joinedName(factNode: Node, pathNode: Node): string | undefined {
  if (factNode.type !== "string" || pathNode.type !== "string" || !String(pathNode.value).startsWith("$")) return undefined;
  const path = PATH.exec(String(pathNode.value))?.[1];
  return path !== undefined && PATH.test(`.${factNode.value}`) ? `${factNode.value}${path}` : undefined;
}

const segmentsOf = (path: string): readonly (string | number)[] =>
  [...path.matchAll(/\.([A-Za-z0-9_-]+)|\[(\d+)\]/g)].map(([, key, index]) => key ?? Number(index));

function longestDeclared(segments: readonly (string | number)[]): string | undefined {
  for (let length = segments.length; length > 0; length--) {
    const name = segments.slice(0, length).join(".");
    if (Object.hasOwn(FACTS, name)) return name;
  }
  return undefined;
}

/** `action.arguments.to[0]`. */
export const spell = ({ name, path }: FactReference): string =>
  name + path.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
