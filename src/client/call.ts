import type { DescMessage, MessageShape } from "@bufbuild/protobuf";

/** One unary call. */
export interface Call<I extends DescMessage, O extends DescMessage> {
  readonly path: string;
  readonly input: I;
  readonly output: O;
  readonly message: MessageShape<I>;
}

/** Makes a call with the client's token, and answers what the server does. */
export type MakeCall = <I extends DescMessage, O extends DescMessage>(call: Call<I, O>) => Promise<MessageShape<O>>;
