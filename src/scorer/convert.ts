import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { asScorerAnswer, type ScorerAnswer, type ScorerQuestion } from "../core/intent/scorer.ts";
import * as wire from "../gen/behest/scorer/v1/scorer_pb.ts";

export function questionToWire({
  statement,
  tool,
  operation,
  effect,
  argumentsJson,
  argumentsTruncated,
  resource,
}: ScorerQuestion): wire.ScoreRequest {
  const request: MessageInitShape<typeof wire.ScoreRequestSchema> = { statement, tool, effect, argumentsJson, argumentsTruncated };
  return create(wire.ScoreRequestSchema, { ...request, ...(operation !== undefined && { operation }), ...(resource && { resource }) });
}

/** Undefined for what is no answer. */
export const answerFromWire = ({ scorerId: id, scorerVersion: version, risk, reason }: wire.ScoreResponse): ScorerAnswer | undefined =>
  asScorerAnswer({ id, version, reason, ...(risk !== undefined && { risk }) });
