import { setFlagsFromString } from "node:v8";

/** By which the heap may grow beyond what lived at its last full collection; by itself V8 lets it become several times as large before it looks again. */
const HEAP_GROWTH_PERCENT = 60;

/** How V8 is to collect what calls leave behind, of which thousands come in a second and are gone after some milliseconds. For all threads; before any is begun. */
export function tuneCollector(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
  // Else V8 makes in the old generation whatever outlived the young one in a busy moment; there it keeps all it points to until a full collection.
  setFlagsFromString("--no-allocation-site-pretenuring");
}
