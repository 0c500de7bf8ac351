import { create, toBinary } from "@bufbuild/protobuf";
import { ServiceError } from "../../core/errors.ts";
import type { PolicyKeeper } from "../../core/policy-keeper.ts";
import type { FoundPolicy, PolicyFiles, ValidatedPolicy } from "../../core/ports.ts";
import * as wire from "../../gen/behest/v1/policy_pb.ts";
import { authorize, type ByteLimit, type CallPorts, decode, type UnaryHandler } from "./call.ts";
import { complaintsToWire, inForceToWire, refusalToWire, storedToWire } from "./convert-policy.ts";

export interface PolicyHandlerPorts extends CallPorts {
  readonly policies: Pick<PolicyKeeper, "status" | "reload">;
  /** A policy that was ever loaded. */
  readonly findPolicy: (digest: string) => Promise<FoundPolicy | undefined>;
  readonly validatePolicy: (files: PolicyFiles) => Promise<ValidatedPolicy>;
  readonly limits: { readonly requestBytesMax: number; readonly batchBytesMax: number };
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** The methods of PolicyService, by name. */
export function createPolicyHandlers(ports: PolicyHandlerPorts): Readonly<Record<"GetPolicy" | "ReloadPolicy" | "ValidatePolicy", UnaryHandler>> {
  const small: ByteLimit = { name: "request_bytes", bytesMax: ports.limits.requestBytesMax };
  const large: ByteLimit = { name: "batch_bytes", bytesMax: ports.limits.batchBytesMax };
  let validating = false;
  return {
    async GetPolicy(body, metadata) {
      authorize(ports, metadata, "GetPolicy");
      const message = decode(wire.GetPolicyRequestSchema, body, small);
      return toBinary(wire.GetPolicyResponseSchema, create(wire.GetPolicyResponseSchema, await getPolicy(ports, message)));
    },
    async ReloadPolicy(body, metadata) {
      authorize(ports, metadata, "ReloadPolicy");
      decode(wire.ReloadPolicyRequestSchema, body, small);
      const { digest, changed, warnings } = await ports.policies.reload();
      const answer = create(wire.ReloadPolicyResponseSchema, { digest, changed, warnings: complaintsToWire(warnings) });
      return toBinary(wire.ReloadPolicyResponseSchema, answer);
    },
    async ValidatePolicy(body, metadata) {
      authorize(ports, metadata, "ValidatePolicy");
      const { files } = decode(wire.ValidatePolicyRequestSchema, body, large);
      // It shares its time with the decisions.
      if (validating) throw new ServiceError("OVERLOADED", "another policy is being validated; retry after a moment", { limit: "validations" });
      validating = true;
      try {
        const { digest = "", complaints } = await ports.validatePolicy(files);
        const told = { complaints: complaintsToWire(complaints), complaintsTotal: complaints.length };
        return toBinary(wire.ValidatePolicyResponseSchema, create(wire.ValidatePolicyResponseSchema, { valid: digest !== "", digest, ...told }));
      } finally {
        validating = false;
      }
    },
  };
}

async function getPolicy(ports: PolicyHandlerPorts, { digest, withFiles }: wire.GetPolicyRequest) {
  const { status } = ports.policies;
  const files = withFiles ? "with files" : "without files";
  if (digest === "") return { policy: inForceToWire(status, files), ...(status.refusal && { refusal: refusalToWire(status.refusal) }) };
  if (!DIGEST.test(digest)) throw new ServiceError("REQUEST_MALFORMED", "`digest` is not `sha256:` and 64 hexadecimal digits", { field: "digest" });
  if (digest === status.inForce.policy.digest) return { policy: inForceToWire(status, files) };
  const found = await ports.findPolicy(digest);
  if (!found) throw new ServiceError("POLICY_UNKNOWN", `no policy \`${digest}\` was ever loaded here`, { field: "digest" });
  return { policy: storedToWire(digest, found, { directory: status.directory, files }) };
}
