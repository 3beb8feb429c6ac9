import { compareCounts, type Counts, type Trial } from "./counts.ts";
import type { Observation } from "./observation.ts";
import { compare, fieldsOf, type Sample } from "./sample.ts";

/** A piece of a random field that comes again in it is no chance if it is as long. */
const PIECE_BYTES = 8;

/** Bytes at the start of two random fields that are compared. */
const COMPARED_BYTES = 32;

/** Whether a random field has a piece of itself twice. */
export function repeatedPieces(ours: Sample, reference: Sample): Trial[] {
  return fieldsOf(ours, reference).map((name) =>
    compare(name, ours, reference, ({ random }) => {
      const bytes = random?.[name]?.bytes;
      return bytes && Number(hasRepeatedPiece(bytes));
    })
  );
}

/** How many bits two random fields of a hello have in common, from the start and with one of them reversed. */
export function fieldRelations(ours: Sample, reference: Sample): Trial[] {
  const names = fieldsOf(ours, reference);
  return names.flatMap((a, i) =>
    names.slice(0, i).flatMap((b) =>
      [false, true].map((reversed) =>
        compareCounts(
          `${b} = ${a}${reversed ? " reversed" : ""}`,
          commonBits(ours, a, b, reversed),
          commonBits(reference, a, b, reversed),
        )
      )
    )
  );
}

/** Whether `bytes`, cut into pieces, have one of them twice. */
export function hasRepeatedPiece(bytes: Uint8Array): boolean {
  const pieces = Math.floor(bytes.length / PIECE_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const seen = new Set<bigint>();
  for (let i = 0; i < pieces; i++) seen.add(view.getBigUint64(i * PIECE_BYTES));
  return seen.size < pieces;
}

/** Counts the bits that `a` and `b` have in common (1), and those that they have not (0), over all hellos. */
export function commonBits(
  sample: readonly Pick<Observation, "random">[],
  a: string,
  b: string,
  reversed: boolean,
): Counts {
  let [common, different] = [0, 0];
  for (const { random } of sample) {
    const [x, y] = [random?.[a]?.bytes, random?.[b]?.bytes];
    if (!x || !y) continue;
    const length = Math.min(x.length, y.length, COMPARED_BYTES);
    for (let i = 0; i < length; i++) {
      const ones = onesIn(x[reversed ? length - 1 - i : i]! ^ y[i]!);
      different += ones;
      common += 8 - ones;
    }
  }
  return new Map(
    ([[0, different], [1, common]] as const).filter(([, seen]) => seen > 0),
  );
}

function onesIn(byte: number): number {
  let ones = 0;
  for (; byte; byte &= byte - 1) ones++;
  return ones;
}
