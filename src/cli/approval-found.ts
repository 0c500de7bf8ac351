import { status as Code } from "@grpc/grpc-js";
import { type BehestClient, CallFailed } from "../client/client.ts";
import { RequestUnreadable } from "../client/request-json.ts";
import type { GetApprovalResponse } from "../gen/behest/v1/approval_pb.ts";
import { APPROVAL_STATES } from "./approval-words.ts";
import type { ConnectOptions } from "./connect.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { asTypedTo } from "./hint.ts";
import { visible } from "./output.ts";

const WHOLE_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const isWholeId = (text: string): boolean => WHOLE_ID.test(text);

const LISTED = 500;

/** The id of the approval with an id like this, of those that the client's caller may see. @throws {CommandFailed} */
export async function wholeApprovalId(client: BehestClient, id: string, options: ConnectOptions): Promise<string> {
  if (isWholeId(id)) return id;
  if (id === "") throw new RequestUnreadable("the id of the approval is empty: write it, or enough of its beginning or end");
  const { approvals } = await client.listApprovals({ states: Object.values(APPROVAL_STATES), limit: LISTED });
  const ids = approvals.map((approval) => approval.id).filter((whole) => whole.startsWith(id) || whole.endsWith(id));
  const [only] = ids;
  if (only !== undefined && ids.length === 1) return only;
  const why = only === undefined ? `no approval has an id like \`${visible(id)}\`` : `${ids.length} approvals have an id like \`${visible(id)}\``;
  throw new CommandFailed(EXIT.usage, `${why}; ${whereToLook(options)}`);
}

/** The approval with an id like this. @throws {CommandFailed} */
export async function findApproval(client: BehestClient, id: string, options: ConnectOptions): Promise<GetApprovalResponse> {
  const whole = await wholeApprovalId(client, id, options);
  try {
    return await client.getApproval(whole);
  } catch (error) {
    if (!(error instanceof CallFailed) || error.code !== Code.NOT_FOUND) throw error;
    throw new CommandFailed(EXIT.usage, `no approval \`${whole}\` is remembered; ${whereToLook(options)}`, { cause: error });
  }
}

const whereToLook = (options: ConnectOptions): string => `look with ${asTypedTo("approvals ls --all", options)}`;

/** @throws {RequestUnreadable} for what names no task, and so would find nothing */
export function checkTaskId(task: string | undefined): void {
  if (task === undefined || isWholeId(task)) return;
  throw new RequestUnreadable(`--task: \`${visible(task)}\` is no whole id of a task; \`approvals show\` and \`tasks list\` print them`);
}

/** Where there is none of an agent, or of a task. */
export const filterWords = ({ agent, task }: { readonly agent?: string; readonly task?: string }): string =>
  [...(agent === undefined ? [] : [` for agent \`${visible(agent)}\``]), ...(task === undefined ? [] : [` of task \`${task}\``])].join("");
