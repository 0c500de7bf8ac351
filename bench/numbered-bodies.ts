/** Stands in a template wherever each body has a number of its own: as ten digits, or as a double of a Struct. */
export const MARKER = 8_246_801_357;
const DIGITS = String(MARKER);
/** As many digits as the marker. It goes on for as long as the process, so that nothing is sent to one server twice. */
let number = 1_000_000_000;

interface Template {
  readonly body: Buffer;
  readonly digitsAt: readonly number[];
  readonly doublesAt: readonly number[];
}

/**
 * Bodies without end, one template after the other, no two alike where they hold the marker. Each is written over the last one of its
 * template: whoever sends it copies it first. To encode each anew would cost as much as the call.
 */
export function* numberedBodies(bodies: readonly Uint8Array[]): Generator<Buffer, undefined> {
  const templates = bodies.map(templateOf);
  if (templates.length === 0) throw new RangeError("no templates");
  while (true) {
    for (const { body, digitsAt, doublesAt } of templates) {
      for (const at of digitsAt) writeDigits(body, at, number);
      for (const at of doublesAt) body.writeDoubleLE(-number, at);
      number++;
      yield body;
    }
  }
}

function templateOf(bytes: Uint8Array): Template {
  const body = Buffer.from(bytes);
  const double = Buffer.alloc(8);
  double.writeDoubleLE(-MARKER);
  return { body, digitsAt: placesOf(body, Buffer.from(DIGITS)), doublesAt: placesOf(body, double) };
}

function placesOf(body: Buffer, marker: Buffer): readonly number[] {
  const places: number[] = [];
  for (let at = body.indexOf(marker); at >= 0; at = body.indexOf(marker, at + marker.length)) places.push(at);
  return places;
}

function writeDigits(body: Buffer, start: number, number: number): void {
  let rest = number;
  for (let at = start + DIGITS.length - 1; at >= start; at--) {
    body[at] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
