import { create } from "@bufbuild/protobuf";
import { encodeStable } from "../../core/json.ts";
import type { Reported, ReportLabels, ReportStatus } from "../../core/record.ts";
import type { ReportRequest } from "../../core/reports.ts";
import type { Trust } from "../../core/words.ts";
import * as wire from "../../gen/behest/v1/decision_pb.ts";
import { compact, DIGEST, FieldReader, malformed, type RequestLimits, timestamp } from "./convert.ts";

const STATUSES: Readonly<Partial<Record<wire.ReportStatus, ReportStatus>>> = {
  [wire.ReportStatus.EXECUTED]: "executed",
  [wire.ReportStatus.FAILED]: "failed",
  [wire.ReportStatus.BLOCKED]: "blocked",
  [wire.ReportStatus.ABANDONED]: "abandoned",
};

/** @throws {ServiceError} REQUEST_MALFORMED or REQUEST_TOO_BIG, naming the field */
export function reportFromWire(message: wire.ReportOutcomeRequest, limits: RequestLimits): ReportRequest {
  const { argumentsDigest, labels } = message;
  const reader = new FieldReader(limits);
  const status = STATUSES[message.status];
  if (!status) throw malformed("status", `is \`${message.status}\`: write EXECUTED, FAILED, BLOCKED or ABANDONED`);
  if (argumentsDigest !== "" && !DIGEST.test(argumentsDigest)) {
    throw malformed("arguments_digest", "is not `sha256:` and 64 hexadecimal digits");
  }
  return compact<ReportRequest>({
    decision: reader.identifier("decision_id", message.decisionId),
    status,
    tookEffect: message.tookEffect,
    result: readResult(message.resultForm, limits),
    truncated: message.truncated,
    argumentsDigest: argumentsDigest === "" ? undefined : argumentsDigest,
    labels: labels && readLabels(labels, reader),
  });
}

function readResult(form: wire.ReportOutcomeRequest["resultForm"], limits: RequestLimits): string {
  switch (form.case) {
    case "result":
      // Tools return more than people write: only the bytes of the report bound how many keys that is.
      new FieldReader({ ...limits, json: { ...limits.json, keysMax: Number.POSITIVE_INFINITY } }).map("result", form.value);
      return encodeStable(form.value);
    case "resultText":
      return form.value;
    case undefined:
      return "";
  }
}

const TRUSTS: Readonly<Partial<Record<wire.Trust, Trust>>> = { [wire.Trust.TRUSTED]: "trusted", [wire.Trust.UNTRUSTED]: "untrusted" };

function readLabels({ classification, categories, trust }: wire.ReportLabels, reader: FieldReader): ReportLabels {
  const word = TRUSTS[trust];
  if (trust !== wire.Trust.UNSPECIFIED && !word) throw malformed("labels.trust", `is \`${trust}\`: write TRUSTED or UNTRUSTED`);
  return compact<ReportLabels>({
    classification: reader.optionalIdentifier("labels.classification", classification),
    categories: reader.categories("labels.categories", categories),
    trust: word,
  });
}

export const reportToWire = ({ id, at, mutated, bypassed, late, refund }: Reported, repeated: boolean): wire.ReportOutcomeResponse =>
  create(wire.ReportOutcomeResponseSchema, {
    reportId: id,
    reportedAt: timestamp(at),
    mutated,
    enforcementBypassed: bypassed,
    late,
    repeated,
    givenBack: refund !== undefined,
  });
