import { isList, isObject } from "../../src/core/json.ts";
import type { Json, JsonObject } from "../../src/core/words.ts";
import type { Dice } from "./random-histories.ts";

/** Requests that differ from one in one place: a value is another, is missing, or is one too many. */
export interface Mutant {
  /** `action.arguments.amount`. */
  readonly path: string;
  readonly value: JsonObject;
}

type Place = readonly (string | number)[];

function placesIn(value: Json, above: Place = []): readonly Place[] {
  const entries: readonly (readonly [string | number, Json])[] = isList(value) ? [...value.entries()] : isObject(value) ? Object.entries(value) : [];
  return [above, ...entries.flatMap(([key, item]) => placesIn(item, [...above, key]))];
}

/** `keeps` says which places are left as they are. */
export function mutantOf(dice: Dice, request: JsonObject, keeps: (path: string) => boolean): Mutant {
  const places = placesIn(request).filter((place) => place.length > 0 && !keeps(place.join(".")));
  for (;;) {
    const place = dice.pick(places);
    const value = changedAt(request, place, dice) as JsonObject;
    if (JSON.stringify(value) !== JSON.stringify(request)) return { path: place.join("."), value };
  }
}

function changedAt(value: Json, [key, ...rest]: Place, dice: Dice): Json {
  if (key === undefined) return changed(value, dice);
  if (isList(value))
    return rest.length === 0 && dice.once(5)
      ? value.toSpliced(Number(key), 1)
      : value.with(Number(key), changedAt(value[Number(key)] ?? null, rest, dice));
  if (!isObject(value)) return value;
  const { [key]: own = null, ...others } = value;
  if (rest.length > 0) return { ...value, [key]: changedAt(own, rest, dice) };
  if (dice.once(5)) return others;
  return { ...value, [key]: changed(own, dice) };
}

function changed(value: Json, dice: Dice): Json {
  if (isList(value)) return dice.pick([[...value, dice.pick([...value, "another"])], value.slice(1), value.toReversed(), [value]]);
  if (isObject(value)) return dice.pick([{ ...value, another: null }, { ...value, another: 1 }, {}]);
  if (typeof value === "number") return dice.pick<Json>([value + 1, value - 1, value * 10, value + 0.01, -value, 0, String(value), null, [value]]);
  if (typeof value === "string") return dice.pick<Json>(changedText(value, dice));
  return dice.pick<Json>([null, true, false, 0, "", "null", [], {}]);
}

function changedText(text: string, dice: Dice): readonly Json[] {
  const at = dice.roll(text.length + 1);
  const put = (what: string): string => text.slice(0, at) + what + text.slice(at);
  return [
    put(dice.pick(["x", " ", "\u200b", "\u00ad", "0", "-", ".", "\n"])),
    text.slice(0, at) + text.slice(at + 1),
    text.toUpperCase(),
    text.toLowerCase(),
    text.replace(/[a-z]/, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)),
    `${text} `,
    "",
    null,
    [text],
    { text },
  ];
}
