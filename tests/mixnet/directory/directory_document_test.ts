import { assert, assertEquals } from "@std/assert";
import { encodeCbor, encodeHex } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import {
  beaconSet,
  DirectoryError,
  type DirectoryErrorCode,
  drawRoute,
  joinDocument,
  signDocument,
  verifyDocument,
} from "../../../src/mixnet/mod.ts";
import {
  describe,
  DESCRIPTORS,
  documentOf,
  EPOCH,
  EPOCH_MS,
  PARAMETERS,
  payloadOf,
  SEEDS,
  signed,
  START_MS,
  TRUST,
} from "./_network.ts";

const verify = (bytes: Uint8Array) => verifyDocument(crypto, bytes, TRUST);

Deno.test("a document says what its authorities signed", () => {
  const document = verify(documentOf(payloadOf()));
  assertEquals(document.parameters, PARAMETERS);
  assertEquals(document.epoch, EPOCH);
  assertEquals(document.validAfterMs, START_MS);
  assertEquals(document.validUntilMs, START_MS + EPOCH_MS);
  assertEquals(document.beacon.missing, ["nist"]);
  assertEquals(encodeHex(document.beacon.value), "07".repeat(32));
  assertEquals(document.nodes.length, 11);
});

Deno.test("makeDocument() deals mixes to the layers by the beacon, gateways to none", () => {
  const layers = (byte: number) => {
    const beacon = beaconSet(
      EPOCH,
      new Map([["drand", new Uint8Array(32).fill(byte)]]),
    );
    return verify(documentOf(payloadOf({ beacon }))).nodes.map(({ layer }) =>
      layer
    );
  };
  for (const layer of [1, 2, 3]) {
    assertEquals(layers(1).filter((each) => each === layer).length, 3);
  }
  assertEquals(layers(1).filter((each) => each === 0).length, 2);
  assert(layers(1).join() !== layers(2).join());
});

Deno.test("makeDocument() gives the same bytes in whatever order descriptors come, and twice", () => {
  const payload = payloadOf();
  assertEquals(payloadOf({ descriptors: DESCRIPTORS.toReversed() }), payload);
  assertEquals(
    payloadOf({ descriptors: [...DESCRIPTORS, ...DESCRIPTORS] }),
    payload,
  );
  const twins = [signed(5), signed(5)]; // other keys, one sequence
  const rest = DESCRIPTORS.toSpliced(5, 1);
  assertEquals(
    payloadOf({ descriptors: [...rest, ...twins] }),
    payloadOf({ descriptors: [...twins.toReversed(), ...rest] }),
  );
});

Deno.test("makeDocument() leaves out what is not of the epoch or network, and all but the newest", () => {
  const newer = signed(2, { sequence: 2, asn: 7 });
  const others = [
    signed(5, { sequence: 9, network: "other" }),
    signed(6, { sequence: 9, expiresMs: START_MS }),
    signed(7, {
      sequence: 9,
      sphinxKeys: new Map([[EPOCH + 1, new Uint8Array(32)]]),
    }),
  ];
  const { nodes } = verify(
    documentOf(payloadOf({ descriptors: [newer, ...DESCRIPTORS, ...others] })),
  );
  assertEquals(nodes.length, 11);
  const { identityKey } = describe(2).descriptor;
  const node = nodes.find((each) =>
    encodeHex(each.identityKey) === encodeHex(identityKey)
  );
  assertEquals(node?.asn, 7);
  assert(nodes.every(({ sequence }) => sequence < 9));
});

Deno.test("verifyDocument() counts different authorities that signed these bytes, and nobody else", () => {
  const payload = payloadOf();
  const pair = (i: number, seed = SEEDS[i]!) =>
    [TRUST.authorities[i]!, signDocument(crypto, seed, payload)] as const;
  const stranger = new Uint8Array(32).fill(9);
  const strangers = [
    crypto.ed25519.publicKey(stranger),
    signDocument(crypto, stranger, payload),
  ] as const;
  const cases: readonly [
    readonly (readonly [Uint8Array, Uint8Array])[],
    DirectoryErrorCode | undefined,
  ][] = [
    [[pair(0), pair(1)], undefined],
    [[pair(0), pair(2)], undefined],
    [[pair(0), pair(1), strangers], undefined],
    [[], "under_signed"],
    [[pair(0)], "under_signed"],
    [[pair(0), pair(0)], "under_signed"],
    [[pair(0), strangers], "under_signed"],
    [[pair(0), pair(1, SEEDS[0])], "under_signed"],
  ];
  for (const [signatures, code] of cases) {
    assertEquals(codeOf(() => verify(joinDocument(payload, signatures))), code);
  }
  const other = joinDocument(payloadOf({ epoch: EPOCH + 1 }), [
    pair(0),
    pair(1),
  ]);
  assertEquals(codeOf(() => verify(other)), "under_signed");
  const none = { ...TRUST, threshold: 0 };
  assertEquals(
    codeOf(() => verifyDocument(crypto, joinDocument(payload, []), none)),
    "under_signed",
  );
});

Deno.test("verifyDocument() refuses other networks and whatever is not of the form", () => {
  const bytes = documentOf(payloadOf());
  assertEquals(
    codeOf(() => verifyDocument(crypto, bytes, { ...TRUST, network: "other" })),
    "wrong_network",
  );
  for (
    const bad of [
      encodeCbor([]),
      encodeCbor([1, 2]),
      encodeCbor([new Uint8Array(1), []]),
      new Uint8Array(0),
    ]
  ) {
    assert(["malformed", "under_signed"].includes(codeOf(() => verify(bad))!));
  }
  for (let length = 0; length < bytes.length; length += 7) {
    assertEquals(codeOf(() => verify(bytes.subarray(0, length))), "malformed");
  }
  const withPayload = (payloadLength: number) =>
    verify(
      documentOf(payloadOf({ parameters: { ...PARAMETERS, payloadLength } })),
    );
  assertEquals(withPayload(949).parameters.payloadLength, 949);
  assertEquals(codeOf(() => withPayload(948)), "malformed");
});

Deno.test("authorities sign nothing with nodes out of order, twice, or in layers of others", () => {
  const good = payloadOf({ descriptors: DESCRIPTORS.slice(0, 4) });
  assert(verify(documentOf(good)));
  const forged = good.slice();
  forged[forged.length - 1]! ^= 1; // the last node's signature
  assertEquals(codeOf(() => verify(documentOf(forged))), "unsigned");
});

Deno.test("the nodes of a document are what routes are drawn from", () => {
  const { nodes, parameters, epoch } = verify(documentOf(payloadOf()));
  const [from, to] = nodes.filter(({ layer }) => layer === 0).map((
    { identityKey },
  ) => identityKey);
  const { meanDelayMs, maxDelayMs } = parameters;
  const route = drawRoute(crypto, new Uint8Array(64), 0, {
    nodes,
    epoch,
    from: from!,
    to: to!,
    mode: "strict",
    meanDelayMs,
    maxDelayMs,
  });
  assertEquals(route?.hops.length, 5);
});

function codeOf(run: () => unknown): DirectoryErrorCode | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof DirectoryError) return error.code;
    throw error;
  }
}
