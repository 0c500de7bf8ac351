import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Client, type status as Code, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { ApprovalService } from "../gen/behest/v1/approval_pb.ts";
import { ControlService } from "../gen/behest/v1/control_pb.ts";
import * as wire from "../gen/behest/v1/decision_pb.ts";
import * as policyWire from "../gen/behest/v1/policy_pb.ts";
import { TaskService } from "../gen/behest/v1/task_pb.ts";
import { type Status, StatusSchema } from "../gen/google/rpc/status_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../gen/grpc/health/v1/health_pb.ts";
import { type ApprovalClient, approvalCalls } from "./approval-client.ts";
import type { MakeCall, MakeStream } from "./call.ts";
import { type ControlClient, controlCalls } from "./control-client.ts";
import { type DecisionStream, openDecisionStream } from "./decision-stream.ts";
import { type TaskClient, taskCalls } from "./task-client.ts";

/** A call that failed, as the server or the connection says. */
export class CallFailed extends Error {
  readonly code: Code;
  /** With its details, when the server sent them. */
  readonly status: Status | undefined;

  /** Of a call, or of one item of a stream. */
  constructor(error: ServiceError | Status) {
    const isStatus = "$typeName" in error;
    super((!isStatus && error.details) || error.message, { cause: error });
    this.name = "CallFailed";
    this.code = error.code;
    if (isStatus) {
      this.status = error;
      return;
    }
    const [details] = error.metadata?.get("grpc-status-details-bin") ?? [];
    this.status = Buffer.isBuffer(details) ? fromBinary(StatusSchema, details) : undefined;
  }
}

export interface BehestClient extends ControlClient, TaskClient, ApprovalClient {
  decide(request: wire.DecideRequest): Promise<wire.DecideResponse>;
  decideBatch(items: readonly wire.DecideRequest[]): Promise<wire.DecideBatchResponse>;
  /** Opens a stream on which one decision after the other can be asked for, without a call for each. */
  decideStream(): DecisionStream;
  explain(request: wire.DecideRequest, options?: ExplainOptions): Promise<wire.ExplainResponse>;
  /** Says what became of a decision. Throws `CallFailed` with ALREADY_EXISTS if something else was reported of it before. */
  reportOutcome(report: MessageInitShape<typeof wire.ReportOutcomeRequestSchema>): Promise<wire.ReportOutcomeResponse>;
  /** The policy in force, or the one of a digest. */
  getPolicy(question?: { readonly digest?: string; readonly withFiles?: boolean }): Promise<policyWire.GetPolicyResponse>;
  /** Throws `CallFailed` with FAILED_PRECONDITION if what the rules directory holds is refused. */
  reloadPolicy(): Promise<policyWire.ReloadPolicyResponse>;
  /** What the server would say of these files; text by path relative to a rules directory. */
  validatePolicy(files: Readonly<Record<string, string>>): Promise<policyWire.ValidatePolicyResponse>;
  /**
   * Whether decisions are made, tasks opened and approvals answered, whether the policy in force is the one in the rules directory, or whether things can be suspended. Answers without
   * credentials.
   */
  isServing(what?: keyof typeof HEALTH_NAMES): Promise<boolean>;
  close(): void;
}

export interface ExplainOptions {
  /** The caller to ask as. */
  readonly caller?: string;
  /** Also rules that do not stand. */
  readonly everyRule?: boolean;
}

export interface ClientOptions {
  /** HOST:PORT. */
  readonly address: string;
  /** Absent: only health can be asked for. */
  readonly token?: string;
  readonly timeoutMs: number;
}

const HEALTH_NAMES = {
  decisions: wire.DecisionService.typeName,
  tasks: TaskService.typeName,
  approvals: ApprovalService.typeName,
  policy: policyWire.PolicyService.typeName,
  control: ControlService.typeName,
} as const;

/** A policy with all its files. */
const ANSWER_BYTES_MAX = 20 * 1024 * 1024;

/** A thin client. Whatever it throws, and whatever takes too long, an enforcement point must treat as DENY. */
export function createClient({ address, token, timeoutMs }: ClientOptions): BehestClient {
  const client = new Client(address, credentials.createInsecure(), { "grpc.max_receive_message_length": ANSWER_BYTES_MAX });
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  const call: MakeCall = ({ name, parent, input, output }, request, longerMs = 0) =>
    new Promise((resolve, reject) => {
      const message = create(input, request);
      client.makeUnaryRequest(
        `/${parent.typeName}/${name}`,
        (value: typeof message) => Buffer.from(toBinary(input, value)),
        (body: Buffer) => fromBinary(output, body),
        message,
        metadata,
        { deadline: Date.now() + timeoutMs + longerMs },
        (error, value) => {
          if (error) reject(new CallFailed(error));
          else if (value) resolve(value);
          else reject(new Error("the server answered nothing"));
        },
      );
    });
  const stream = streamsOf(client, metadata);
  const { method: decisions } = wire.DecisionService;
  const { method: policies } = policyWire.PolicyService;
  return {
    decide: (request) => call(decisions.decide, request, request.waitMs),
    decideBatch: (items) => call(decisions.decideBatch, { items: [...items] }, Math.max(0, ...items.map(({ waitMs }) => waitMs))),
    decideStream: () => openDecisionStream(client, { metadata, timeoutMs, failure: (why) => new CallFailed(why) }),
    explain: (request, { caller = "", everyRule = false } = {}) => call(decisions.explain, { request, caller, everyRule }),
    reportOutcome: (report) => call(decisions.reportOutcome, report),
    getPolicy: ({ digest = "", withFiles = false } = {}) => call(policies.getPolicy, { digest, withFiles }),
    reloadPolicy: () => call(policies.reloadPolicy, {}),
    validatePolicy: (files) => call(policies.validatePolicy, { files }),
    ...taskCalls(call),
    ...approvalCalls(call, stream),
    ...controlCalls(call),
    async isServing(what = "decisions") {
      const { status } = await call(Health.method.check, { service: HEALTH_NAMES[what] });
      return status === ServingStatus.SERVING;
    },
    close: () => client.close(),
  };
}

const streamsOf = (client: Client, metadata: Metadata): MakeStream =>
  async function* ({ name, parent, input, output }, request, signal) {
    const message = create(input, request);
    const reading = client.makeServerStreamRequest(
      `/${parent.typeName}/${name}`,
      (value: typeof message) => Buffer.from(toBinary(input, value)),
      (body: Buffer) => fromBinary(output, body),
      message,
      metadata,
    );
    const cancel = (): void => reading.cancel();
    signal?.addEventListener("abort", cancel);
    if (signal?.aborted) cancel();
    try {
      yield* reading;
    } catch (error) {
      if (signal?.aborted) return;
      throw isCallError(error) ? new CallFailed(error) : error;
    } finally {
      signal?.removeEventListener("abort", cancel);
      cancel();
    }
  };

const isCallError = (error: unknown): error is ServiceError => error instanceof Error && "code" in error && "details" in error && "metadata" in error;
