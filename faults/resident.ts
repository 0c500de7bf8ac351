import type { Served } from "./served.ts";

const LOOK_EVERY_MS = 250;

/** The most memory that a server has, until it is asked, in MiB. */
export function watchResident(server: Served): { stop(): number } {
  let mostKib = 0;
  const watching = setInterval(() => {
    mostKib = Math.max(mostKib, server.residentKib());
  }, LOOK_EVERY_MS);
  return {
    stop() {
      clearInterval(watching);
      return Math.round(mostKib / 1_024);
    },
  };
}
