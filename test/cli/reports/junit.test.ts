import { describe, expect, it } from "vitest";
import { type JunitCase, junitOf } from "../../../src/cli/reports/junit.ts";

const report = (cases: readonly JunitCase[]): string => junitOf({ name: "run", suites: [{ name: "a suite", cases }] });
const passing: JunitCase = { name: "passes", classname: "money", failures: [] };

describe("a JUnit report", () => {
  it("tells suites, cases and failures, and counts them", () => {
    const failing: JunitCase = {
      name: "fails twice",
      classname: "money",
      file: "rules/money.cases.json",
      line: 4,
      durationMs: 1_250,
      failures: [
        { type: "outcome", message: "expected DENY" },
        { type: "score", message: "expected 20", detail: "expected 20\nfound 30" },
      ],
    };
    expect(report([passing, failing, { ...passing, name: "waits", skipped: "filtered out" }])).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="run" tests="3" failures="1" errors="0" skipped="1" time="1.250">
<testsuite name="a suite" tests="3" failures="1" errors="0" skipped="1" time="1.250">
<testcase name="passes" classname="money" time="0.000"/>
<testcase name="fails twice" classname="money" file="rules/money.cases.json" line="4" time="1.250">
<failure type="outcome" message="expected DENY">expected DENY</failure>
<failure type="score" message="expected 20">expected 20
found 30</failure>
</testcase>
<testcase name="waits" classname="money" time="0.000">
<skipped message="filtered out"/>
</testcase>
</testsuite>
</testsuites>
`);
  });

  it.each([
    { says: "markup", message: `<a b="c">&'`, written: "&lt;a b=&quot;c&quot;&gt;&amp;&apos;" },
    { says: "the end of a CDATA section", message: "]]>", written: "]]&gt;" },
    { says: "what XML cannot hold", message: "bell \u0007 and half \ud800 and \uffff", written: "bell \ufffd and half \ufffd and \ufffd" },
    { says: "line breaks of an attribute", message: "one\ntwo\tthree", written: "one&#10;two&#9;three" },
  ])("escapes $says", ({ message, written }) => {
    expect(report([{ ...passing, failures: [{ type: "t", message }] }])).toContain(`message="${written}"`);
  });
});
