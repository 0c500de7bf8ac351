import { expect, it } from "vitest";
import { workflowCommand } from "../../../src/cli/reports/github.ts";

it.each([
  {
    says: "a place and a title",
    annotation: { severity: "error", title: "unknown-fact", message: "unknown fact `x`", file: "rules/a.rules.json", line: 3, column: 14 },
    written: "::error file=rules/a.rules.json,line=3,col=14,title=unknown-fact::unknown fact `x`\n",
  },
  { says: "no place", annotation: { severity: "notice", title: "cases", message: "none" }, written: "::notice title=cases::none\n" },
  {
    says: "what would end the command or its properties",
    annotation: { severity: "warning", title: "a: b, 100%", message: "50%, a:b\r\n::error::x", file: "C:\\rules,1.json" },
    written: "::warning file=C%3A\\rules%2C1.json,title=a%3A b%2C 100%25::50%25, a:b%0D%0A::error::x\n",
  },
] as const)("a workflow command tells $says", ({ annotation, written }) => {
  expect(workflowCommand(annotation)).toBe(written);
});
