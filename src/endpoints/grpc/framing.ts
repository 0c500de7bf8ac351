import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/**
 * Refuses what protobuf-es decodes without complaint and other readers of the same bytes read otherwise: a field under another wire type than
 * its own, and a field that runs past the end of the message it lies in. Call it after decoding, which bounds how deep this goes.
 * @throws {Error}
 */
export function refuseMisframed(schema: DescMessage, bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes);
  walk(shapeOf(schema), reader, bytes.length);
}

/** The bytes of each item of a message whose field 1 is its repeated items. @throws {Error} for bytes that are no message. */
export function itemSizes(bytes: Uint8Array): readonly number[] {
  const reader = new BinaryReader(bytes);
  const sizes: number[] = [];
  while (reader.pos < bytes.length) {
    const [number, wireType] = reader.tag();
    if (number === 1 && wireType === WireType.LengthDelimited) sizes.push(reader.bytes().length);
    else reader.skip(wireType, number);
  }
  return sizes;
}

/** How the fields of a message are framed, by number. */
type Shape = Map<number, FieldShape>;

interface FieldShape {
  readonly wireType: WireType;
  /** Several values may stand in one length-delimited field. */
  readonly packable: boolean;
  readonly message?: Shape;
}

function walk(shape: Shape, reader: BinaryReader, end: number): void {
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const field = shape.get(number);
    if (field && wireType !== field.wireType && !(field.packable && wireType === WireType.LengthDelimited)) {
      throw new Error(`field ${number} has wire type ${wireType} instead of ${field.wireType}`);
    }
    if (field?.message) {
      const length = reader.uint32();
      const fieldEnd = reader.pos + length;
      if (fieldEnd > end) throw new Error(`field ${number} runs past the end of its message`);
      walk(field.message, reader, fieldEnd);
    } else {
      reader.skip(wireType, number);
    }
  }
  if (reader.pos !== end) throw new Error("a field runs past the end of its message");
}

const shapes = new WeakMap<DescMessage, Shape>();

function shapeOf(message: DescMessage): Shape {
  const known = shapes.get(message);
  if (known) return known;
  const shape: Shape = new Map();
  // Before its fields, so that a message that holds itself ends here.
  shapes.set(message, shape);
  for (const field of message.fields) shape.set(field.number, fieldShapeOf(field));
  return shape;
}

function fieldShapeOf(field: DescField): FieldShape {
  if (field.fieldKind === "map") {
    const value = field.message ? lengthDelimited(shapeOf(field.message)) : plain(scalarWireType(field.scalar ?? ScalarType.INT32));
    return lengthDelimited(
      new Map([
        [1, plain(scalarWireType(field.mapKey))],
        [2, value],
      ]),
    );
  }
  if (field.message) return lengthDelimited(shapeOf(field.message));
  const wireType = field.scalar === undefined ? WireType.Varint : scalarWireType(field.scalar);
  return { wireType, packable: field.fieldKind === "list" };
}

const plain = (wireType: WireType): FieldShape => ({ wireType, packable: false });
const lengthDelimited = (message: Shape): FieldShape => ({ wireType: WireType.LengthDelimited, packable: false, message });

function scalarWireType(type: ScalarType): WireType {
  switch (type) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LengthDelimited;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return WireType.Bit64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return WireType.Bit32;
    default:
      return WireType.Varint;
  }
}
