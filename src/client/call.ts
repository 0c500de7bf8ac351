import type { DescMessage, DescMethodServerStreaming, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

/** Calls a method of the contract with the client's token, and answers what the server does; it may take so much longer than other calls. */
export type MakeCall = <I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  longerMs?: number,
) => Promise<MessageShape<O>>;

/** The same for a method that answers again and again, until the server or `signal` ends it. Whoever stops reading ends it, too. */
export type MakeStream = <I extends DescMessage, O extends DescMessage>(
  method: DescMethodServerStreaming<I, O>,
  request: MessageInitShape<I>,
  signal?: AbortSignal,
) => AsyncIterable<MessageShape<O>>;
