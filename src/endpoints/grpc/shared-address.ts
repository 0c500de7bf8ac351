import { createServer, type Server as Listener } from "node:net";
import { type Server, ServerCredentials } from "@grpc/grpc-js";
import { http2ServersOf } from "./http2-server.ts";

/**
 * Several threads of a process listen on one address, each with a socket of its own, and the system spreads the connections over them (SO_REUSEPORT). grpc-js
 * cannot ask for that, so the connections are accepted here and handed to it.
 */
export interface SharedAddress {
  /** @throws {Error} when the address cannot be bound, or not be shared. */
  listen(address: string): Promise<number>;
  /** Accepts no more, and answers when every connection has ended: grpc-js does not wait for those that it was handed. */
  stop(): Promise<void>;
}

/** From then on the server's HTTP/2 server is there, though it does not listen itself. */
export function shareAddress(server: Server): SharedAddress {
  const connections = server.createConnectionInjector(ServerCredentials.createInsecure());
  const [http2] = http2ServersOf(server);
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => connections.injectConnection(socket));
  listener.on("drop", (dropped) => http2?.emit("drop", dropped));
  return {
    async listen(address) {
      // Whoever bounds the connections bounds those that are accepted.
      if (http2) listener.maxConnections = http2.maxConnections;
      return listen(listener, address);
    },
    stop: () => new Promise((resolve) => listener.close(() => resolve())),
  };
}

/** Whether an address is free: one that is shared could be shared with anybody of this machine's user, unnoticed. Port 0 picks one. @throws {Error} */
export async function freeAddress(address: string): Promise<string> {
  const listener = createServer();
  const port = await listen(listener, address, { reusePort: false });
  await new Promise((resolve) => listener.close(resolve));
  return address.replace(/:\d+$/, `:${port}`);
}

function listen(listener: Listener, address: string, { reusePort } = { reusePort: true }): Promise<number> {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    listener.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "ENOTSUP" ? new Error("this system cannot share an address among threads; serve without --workers", { cause: error }) : error,
      ),
    );
    listener.listen({ host, port: Number(address.slice(colon + 1)), reusePort }, () => {
      const bound = listener.address();
      resolve(typeof bound === "object" && bound ? bound.port : 0);
    });
  });
}
