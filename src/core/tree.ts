import { createHash, hash } from "node:crypto";

/**
 * Merkle tree hash of an append-only log, RFC 6962 §2.1, kept as its right edge: the roots of the perfect subtrees that make up the log,
 * largest first, 32 bytes each. Appending touches only the edge.
 */
export interface TreeEdge {
  readonly size: number;
  readonly subtrees: readonly Buffer[];
}

export const EMPTY_TREE: TreeEdge = { size: 0, subtrees: [] };

/** SHA-256(0x00 ‖ record). U+0000 is that byte in UTF-8, and a hash in one step costs half of one in several. */
export const leafHash = (record: string): Buffer => hash("sha256", `\u0000${record}`, "buffer");

const NODE = Buffer.from([1]);
const nodeHash = (left: Buffer, right: Buffer): Buffer => createHash("sha256").update(NODE).update(left).update(right).digest();

export function append(edge: TreeEdge, leaf: Buffer): TreeEdge {
  const subtrees = [...edge.subtrees];
  let node = leaf;
  // Each trailing one bit of the old size is a perfect subtree that the new leaf completes.
  for (let size = edge.size; size % 2 === 1; size = Math.floor(size / 2)) {
    const left = subtrees.pop();
    if (!left) throw new RangeError(`a tree of ${edge.size} leaves lacks a subtree`);
    node = nodeHash(left, node);
  }
  return { size: edge.size + 1, subtrees: [...subtrees, node] };
}

export function rootOf(edge: TreeEdge): Buffer {
  const [smallest, ...larger] = [...edge.subtrees].reverse();
  if (!smallest) return createHash("sha256").digest();
  return larger.reduce((right, left) => nodeHash(left, right), smallest);
}

export const encodeEdge = (edge: TreeEdge): Buffer => Buffer.concat([...edge.subtrees]);

/** @throws {RangeError} when the bytes are not the edge of a tree of that size. */
export function decodeEdge(size: number, bytes: Buffer): TreeEdge {
  const subtrees: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 32) subtrees.push(Buffer.from(bytes.subarray(at, at + 32)));
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  if (bytes.length !== ones * 32) throw new RangeError(`a tree of ${size} leaves has ${ones} subtrees on its edge, not ${bytes.length / 32}`);
  return { size, subtrees };
}
