import { type Bytes, concat, utf8, Writer } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type ClientHello,
  EXTENSION,
  type Extension,
  GROUP,
} from "../../src/utls/mod.ts";
import { seededRandom } from "./_seeded_random.ts";

/** What a copy of the browser gets wrong. */
export type Fault =
  | "biased shuffle" // uTLS's: swaps that touch GREASE are left out, so that extensions stay where they were
  | "mild bias" // one order in ten is that of the template
  | "reused X25519" // one key for both shares
  | "key of the process" // the same key in every connection
  | "fixed GREASE" // 0x0a0a in signature_algorithms
  | "independent key_share GREASE" // that of the group is not repeated
  | "equal GREASE extensions" // one in sixteen, as of two independent draws
  | "random ECH enc" // not a key
  | "ECH enc without top bit" // not a key, but its top bit is right
  | "random ML-KEM" // coefficients of twelve random bits
  | "wrong ECH AEAD" // ChaCha20-Poly1305 after AES in the cipher suites
  | "fixed ECH length"
  | "other ALPS" // codepoint of Chrome 132
  | "no GREASE sigalg"
  | "short session id"
  | "even permutations" // one swap more wherever it is odd
  | "repeated ECH payload" // its first 32 bytes again and again
  | "reversed session id" // the random, backwards
  | "inverted session id" // the random, every bit of it flipped
  | "config_id of the cipher" // its upper half is the cipher's GREASE
  | "counted GREASE" // that of the cipher goes up by one
  | "longer ECH payload" // one in 250 is longer than the browser's
  | "weak seeds"; // a generator of 9 bits seeds each hello's GREASE

const SUITES = [
  ..."1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035"
    .split(" "),
].map((hex) => parseInt(hex, 16));
const SIGALGS = "0904 0905 0906 0403 0804 0401 0503 0805 0501 0806 0601".split(
  " ",
)
  .map((hex) => parseInt(hex, 16));

/**
 * Draws hellos as Chrome 156 does but for `faults`, by rules written here a second time, so that the harness is not tested with what it tests. Its
 * X25519 keys are real; its ML-KEM keys are coefficients below q, which nobody tells from real ones by looking.
 */
export function simulateHellos(
  hellos: number,
  seed: number,
  ...faults: readonly Fault[]
): ClientHello[] {
  const random = seededRandom(seed);
  const once = key(random);
  const wrong = new Set(faults);
  return Array.from(
    { length: hellos },
    (_, i) => simulateHello(random, once, wrong, i),
  );
}

type Random = (length: number) => Bytes;

function simulateHello(
  random: Random,
  once: Bytes,
  faults: ReadonlySet<Fault>,
  number: number,
): ClientHello {
  const seeds = faults.has("weak seeds") ? weakSeeds(random) : random(7);
  if (faults.has("counted GREASE")) seeds[0] = number << 4;
  const grease = (i: number) => (seeds[i]! & 0xf0 | 0x0a) * 0x0101;
  let last = grease(3);
  if (last === grease(2) && !faults.has("equal GREASE extensions")) {
    last ^= 0x1010;
  }
  const classic = faults.has("key of the process") ? once : key(random);
  const hybrid = faults.has("reused X25519") ? classic : key(random);
  const shareGrease = faults.has("independent key_share GREASE") ? 5 : 1;
  const sigalg = faults.has("fixed GREASE") ? 0x0a0a : grease(6);
  const template: Extension[] = [
    extension(EXTENSION.serverName, (w) => {
      const name = utf8("www.example.com");
      w.u16(name.length + 3).u8(0).u16(name.length).put(name);
    }),
    extension(EXTENSION.extendedMasterSecret),
    extension(EXTENSION.renegotiationInfo, (w) => void w.u8(0)),
    u16s(EXTENSION.supportedGroups, 2, [
      grease(1),
      GROUP.x25519MlKem768,
      29,
      23,
      24,
    ]),
    extension(EXTENSION.ecPointFormats, (w) => void w.u16(0x0100)),
    extension(EXTENSION.sessionTicket),
    extension(EXTENSION.alpn, (w) => {
      w.u16(12).u8(2).put(utf8("h2")).u8(8).put(utf8("http/1.1"));
    }),
    extension(EXTENSION.statusRequest, (w) => void w.u8(1).u32(0)),
    u16s(
      EXTENSION.signatureAlgorithms,
      2,
      faults.has("no GREASE sigalg") ? SIGALGS : [sigalg, ...SIGALGS],
    ),
    extension(EXTENSION.signedCertificateTimestamp),
    extension(EXTENSION.keyShare, (w) => {
      w.u16(5 + 4 + 1_216 + 4 + 32);
      w.u16(grease(shareGrease)).u16(1).u8(0);
      w.u16(GROUP.x25519MlKem768).u16(1_216);
      w.put(mlKemKey(random, faults.has("random ML-KEM"))).put(hybrid);
      w.u16(GROUP.x25519).u16(32).put(classic);
    }),
    extension(EXTENSION.pskKeyExchangeModes, (w) => void w.u16(0x0101)),
    u16s(EXTENSION.supportedVersions, 1, [grease(4), 0x0304, 0x0303]),
    extension(EXTENSION.compressCertificate, (w) => void w.u8(2).u16(2)),
    extension(
      faults.has("other ALPS")
        ? EXTENSION.applicationSettingsOld
        : EXTENSION.applicationSettings,
      (w) => void w.u16(3).u8(2).u16(0x6832),
    ),
    echGrease(random, faults, seeds[0]!, number),
    extension(EXTENSION.trustAnchors, (w) => void w.u16(4).u8(3).u24(0x82df13)),
  ];
  const nonce = random(32);
  return {
    legacyVersion: 0x0303,
    random: nonce,
    sessionId: sessionId(nonce, random, faults),
    cipherSuites: [grease(0), ...SUITES],
    compressionMethods: Uint8Array.of(0),
    extensions: [
      { type: grease(2), data: new Uint8Array(0) },
      ...ordered(template, random, faults),
      { type: last, data: new Uint8Array(1) },
    ],
  };
}

function sessionId(
  nonce: Bytes,
  random: Random,
  faults: ReadonlySet<Fault>,
): Bytes {
  if (faults.has("reversed session id")) return nonce.toReversed();
  if (faults.has("inverted session id")) return nonce.map((byte) => ~byte);
  return random(faults.has("short session id") ? 16 : 32);
}

function weakSeeds(random: Random): Bytes {
  const bytes = random(2);
  return seededRandom(bytes[0]! | (bytes[1]! & 1) << 8)(8);
}

function extension(
  type: number,
  write: (w: Writer) => void = () => {},
): Extension {
  const w = new Writer();
  write(w);
  return { type, data: w.finish() };
}

function u16s(
  type: number,
  lengthBytes: 1 | 2,
  values: readonly number[],
): Extension {
  return extension(type, (w) => {
    if (lengthBytes === 1) w.u8(2 * values.length);
    else w.u16(2 * values.length);
    for (const value of values) w.u16(value);
  });
}

function echGrease(
  random: Random,
  faults: ReadonlySet<Fault>,
  cipherSeed: number,
  number: number,
): Extension {
  const enc =
    faults.has("random ECH enc") || faults.has("ECH enc without top bit")
      ? random(32)
      : key(random);
  if (faults.has("ECH enc without top bit")) enc[31]! &= 0x7f;
  const isLonger = faults.has("longer ECH payload") && number % 250 === 0;
  const drawn = 4 + random(1)[0]! % 4;
  const blocks = isLonger ? 8 : faults.has("fixed ECH length") ? 4 : drawn;
  const payload = random(32 * blocks + 16);
  if (faults.has("repeated ECH payload")) {
    for (let i = 32; i < payload.length; i++) payload[i] = payload[i - 32]!;
  }
  const [configId] = random(1);
  return extension(EXTENSION.encryptedClientHello, (w) => {
    w.u8(0).u16(1).u16(faults.has("wrong ECH AEAD") ? 3 : 1);
    w.u8(
      faults.has("config_id of the cipher")
        ? cipherSeed & 0xf0 | configId! & 15
        : configId!,
    );
    w.u16(32).put(enc).u16(payload.length).put(payload);
  });
}

function key(random: Random): Bytes {
  return nodeProvider.x25519.publicKey(random(32));
}

/** Coefficients below q, or of any twelve bits, and a seed. */
export function mlKemKey(random: Random, unreduced = false): Bytes {
  const draws = new Uint32Array(random(4 * 768).buffer);
  const bytes = new Uint8Array(1_152);
  const bound = unreduced ? 4_096 : 3_329;
  for (let i = 0; i < 384; i++) {
    const a = draws[2 * i]! % bound;
    const b = draws[2 * i + 1]! % bound;
    bytes[3 * i] = a;
    bytes[3 * i + 1] = a >> 8 | b << 4;
    bytes[3 * i + 2] = b >> 4;
  }
  return concat(bytes, random(32));
}

function ordered(
  template: readonly Extension[],
  random: Random,
  faults: ReadonlySet<Fault>,
): Extension[] {
  const below = (bound: number) =>
    new DataView(random(4).buffer).getUint32(0) % bound;
  if (faults.has("mild bias") && below(10) === 0) return [...template];
  const ends = faults.has("biased shuffle") ? 1 : 0;
  const list: (Extension | undefined)[] = ends
    ? [undefined, ...template, undefined]
    : [...template];
  for (let i = list.length - 1; i > 0; i--) {
    const j = below(i + 1);
    if (list[i] === undefined || list[j] === undefined) continue;
    [list[i], list[j]] = [list[j], list[i]];
  }
  const done = list.filter((item) => item !== undefined);
  if (
    faults.has("even permutations") && parityOf(done.map(({ type }) => type))
  ) {
    [done[0], done[1]] = [done[1]!, done[0]!];
  }
  return done;
}

function parityOf(order: readonly number[]): number {
  let inversions = 0;
  order.forEach((type, i) => {
    for (const other of order.slice(0, i)) inversions += Number(other > type);
  });
  return inversions % 2;
}
