import { assertEquals } from "@std/assert";
import {
  FragmentIndex,
  isWhole,
} from "../../../src/dtn/node/fragment_index.ts";

function piece(offset: number, length: number, wholeId = "w", total = 10) {
  const id = `${wholeId}-${offset}-${length}`;
  return { id, wholeId, totalLength: total, offset, length };
}

function begun(
  limits: ConstructorParameters<typeof FragmentIndex>[0] = {},
  ...endpoints: string[]
): FragmentIndex {
  const index = new FragmentIndex(limits);
  for (const endpoint of endpoints) index.begin(endpoint);
  return index;
}

Deno.test("isWhole() wants every byte, in any order, however pieces overlap", () => {
  for (
    const [pieces, expected] of [
      [[[0, 4], [4, 6]], true],
      [[[4, 6], [0, 4]], true],
      [[[0, 6], [2, 8]], true],
      [[[0, 10], [3, 2]], true],
      [[[0, 4], [5, 5]], false],
      [[[0, 4], [0, 3], [1, 3]], false], // as many bytes as the whole, but not all of them
      [[[1, 9], [1, 5]], false],
      [[[0, 9]], false],
    ] as const
  ) {
    const index = begun({}, "e");
    let partial;
    for (const [at, length] of pieces) {
      partial = index.add("e", piece(at, length));
    }
    assertEquals(isWhole(partial!), expected, JSON.stringify(pieces));
  }
});

Deno.test("pieces of different bundles, and of different lengths, do not mix, and a piece counts once", () => {
  const index = begun({}, "e");
  index.add("e", piece(0, 5));
  index.add("e", piece(5, 5, "other"));
  index.add("e", piece(5, 5, "w", 11));
  assertEquals(isWhole(index.add("e", piece(0, 5))), false);
  assertEquals(index.of("e", "w").map(({ totalLength }) => totalLength), [
    10,
    11,
  ]);
  assertEquals(isWhole(index.add("e", { ...piece(5, 5), id: "x" })), true);
  index.remove("x");
  index.remove("x");
  assertEquals(index.of("e", "w").map(({ heldBytes }) => heldBytes), [5, 5]);
});

Deno.test("a bundle and an endpoint have so many pieces and no more, until some are gone", () => {
  const index = begun({ maxPieces: 2, maxPiecesOfEndpoint: 3 }, "e", "f");
  const next = piece(9, 1);
  index.add("e", piece(0, 1));
  assertEquals(index.refusalOf("e", next), undefined);
  index.add("e", piece(1, 1));
  assertEquals(index.refusalOf("e", next), "too_many_fragments");
  assertEquals(index.refusalOf("e", piece(9, 1, "other")), undefined);
  index.add("e", piece(0, 1, "other"));
  assertEquals(index.refusalOf("e", piece(9, 1, "other")), "full");
  assertEquals(index.refusalOf("f", next), undefined);
  index.remove("w-0-1");
  assertEquals(index.refusalOf("e", next), undefined);
});

Deno.test("beyond its bounds the index forgets the endpoint that was asked of least recently", () => {
  const index = begun({ maxPiecesHeld: 3, maxEndpoints: 3 }, "e", "f", "g");
  index.add("e", piece(0, 1, "e"));
  index.add("f", piece(0, 1, "f"));
  index.has("e");
  index.add("g", piece(0, 1, "g"));
  index.add("g", piece(1, 1, "g"));
  assertEquals(["e", "f", "g"].map((each) => index.has(each)), [
    true,
    false,
    true,
  ]);
  index.begin("f");
  index.begin("h");
  assertEquals(["e", "f", "g", "h"].map((each) => index.has(each)), [
    false,
    true,
    true,
    true,
  ]);
  index.remove("e-0-1"); // it does not know it any more
  assertEquals(index.all("e"), []);
});
