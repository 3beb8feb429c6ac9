/**
 * Whether `a` and `b` hold the same bytes, in a time that depends on their lengths only.
 *
 * The engine may still optimise; JavaScript cannot promise constant time.
 */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
