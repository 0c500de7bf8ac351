import {
  ClientCapabilities,
  type CompletionItem,
  type Diagnostic,
  getLanguageService,
  type JSONDocument,
  type LanguageService,
  MarkupContent,
  TextDocument,
} from "vscode-json-languageservice";
import { schemaFiles, schemaMappings } from "../../src/cli/schema-files.ts";

/** Where somebody's cursor stands. */
const CURSOR = "▮";
const WORKSPACE = "file:///workspace/";

/** VS Code's own engine for JSON, told of a rules directory as .vscode/settings.json tells it. */
function createService(): LanguageService {
  const files = schemaFiles();
  const service = getLanguageService({
    schemaRequestService: async (uri) => {
      const text = files[uri.slice(uri.lastIndexOf("/") + 1)];
      if (text === undefined) throw new Error(`no schema at ${uri}`);
      return text;
    },
    workspaceContext: { resolveRelativePath: (path, resource) => new URL(path, resource).href },
    clientCapabilities: ClientCapabilities.LATEST,
  });
  service.configure({
    validate: true,
    schemas: schemaMappings("rules").map(({ fileMatch, url }) => ({ fileMatch: [...fileMatch], uri: new URL(url, WORKSPACE).href })),
  });
  return service;
}

const service = createService();

interface Opened {
  readonly document: TextDocument;
  readonly json: JSONDocument;
  readonly offset: number;
}

function open(file: string, marked: string): Opened {
  const offset = marked.indexOf(CURSOR);
  const document = TextDocument.create(WORKSPACE + file, "json", 1, marked.replace(CURSOR, ""));
  return { document, json: service.parseJSONDocument(document), offset };
}

/** What is offered where `▮` stands, by its label. */
export async function offers(file: string, marked: string): Promise<ReadonlyMap<string, CompletionItem>> {
  const { document, json, offset } = open(file, marked);
  const list = await service.doComplete(document, document.positionAt(offset), json);
  return new Map((list?.items ?? []).map((item) => [item.label, item]));
}

/** What an offer says of itself. */
export const sayingOf = (item: CompletionItem | undefined): string =>
  MarkupContent.is(item?.documentation) ? item.documentation.value : (item?.documentation ?? "");

/** What is shown over the place where `▮` stands. */
export async function hover(file: string, marked: string): Promise<string> {
  const { document, json, offset } = open(file, marked);
  const found = await service.doHover(document, document.positionAt(offset), json);
  return [found?.contents ?? []].flat().map(String).join("\n");
}

/** What is underlined, and why. */
export async function problems(file: string, text: string): Promise<readonly string[]> {
  const { document, json } = open(file, text);
  const found: Diagnostic[] = await service.doValidation(document, json);
  return found.map(({ message, range }) => `${document.getText(range)}: ${message}`);
}
