import { type Bytes, concat, Writer } from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";
import {
  connectionPreface,
  encodeFrame,
  encodePriority,
  encodeSettings,
  FRAME_TYPE,
  HpackEncoder,
} from "../../src/http2/mod.ts";
import {
  drawOffer,
  type DrawOptions,
  drawProcess,
  drawSettings,
  generateKeyShare,
  GROUP,
  type Group,
  type KeyShare,
  type LearnedHello,
  type LearnedStart,
  navigationFields,
  type Offer,
  type Profile,
  retryOffer,
} from "../../src/utls/mod.ts";
import { seededRandom } from "./_seeded_random.ts";
import { mlKemKey } from "./_simulated_browser.ts";

/** What a browser of `profile` would be seen to send: hellos of each kind from two processes, the same for the same seed. */
export function observedHellos(profile: Profile, seed: number): LearnedHello[] {
  const crypto = { ...nodeProvider, random: seededRandom(seed) };
  return [0, 1].flatMap((process) => {
    const draw = drawer(profile, crypto);
    const see = (
      kind: LearnedHello["kind"],
      offers: readonly Offer[],
      aesHardware = true,
    ): LearnedHello[] =>
      offers.map(({ hello }) => ({
        kind,
        process,
        aesHardware,
        recordVersion: kind === "retry"
          ? profile.record.retry
          : profile.record.hello,
        hello,
      }));
    const psk = {
      identity: crypto.random(200),
      obfuscatedTicketAge: 1,
      binderLength: 48,
    };
    const pages = draw(60);
    return [
      ...see("page", pages),
      ...see("websocket", draw(8, { variant: "websocket" })),
      ...see("address", draw(8, { serverName: "192.0.2.1" })),
      ...see("resumed", draw(8, { psk })),
      ...see("page", draw(8, { aesHardware: false }), false),
      ...see(
        "retry",
        draw(4).map((offer) =>
          retryOffer(offer, {
            crypto,
            group: GROUP.p384,
            cookie: crypto.random(32),
            keyShare: fakeShare(crypto),
          })
        ),
      ),
    ];
  });
}

/** The start of an HTTP/2 connection of `profile`, a record an entry. */
export function observedStart(profile: Profile, seed: number): LearnedStart {
  const { http2 } = profile;
  const crypto = { ...nodeProvider, random: seededRandom(seed) };
  const target = { authority: "www.example.com", path: "/" };
  const frame = (type: number, payload: Uint8Array, streamId = 0, flags = 0) =>
    encodeFrame({ type, flags, streamId, payload });
  const parts = {
    preface: connectionPreface(),
    settings: frame(
      FRAME_TYPE.settings,
      encodeSettings(drawSettings(http2, crypto)),
    ),
    windowUpdate: frame(
      FRAME_TYPE.windowUpdate,
      new Writer().u32(http2.windowIncrement).finish(),
    ),
    headers: frame(
      FRAME_TYPE.headers,
      concat(
        encodePriority(http2.priority),
        new HpackEncoder().encode(navigationFields(profile, target)),
      ),
      1,
      0x25,
    ),
  };
  return http2.firstRecords.map((record): Bytes =>
    concat(...record.map((part) => parts[part]))
  );
}

/** Draws for one process of the browser. */
function drawer(profile: Profile, crypto: CryptoProvider) {
  const process = drawProcess(profile, crypto);
  return (count: number, options: Partial<DrawOptions> = {}): Offer[] =>
    Array.from({ length: count }, () =>
      drawOffer(profile, {
        crypto,
        process,
        serverName: "www.example.com",
        keyShare: fakeShare(crypto),
        ...options,
      }));
}

/** Key shares that are valid, but of the slow kind of key nobody has the private half. */
function fakeShare(crypto: CryptoProvider): (group: Group) => KeyShare {
  return (group) => {
    const x25519 = generateKeyShare(crypto, GROUP.x25519);
    const { publicKey } = x25519;
    if (group === GROUP.x25519MlKem768) {
      return {
        ...x25519,
        group,
        publicKey: concat(mlKemKey(crypto.random), publicKey),
      };
    }
    if (group === GROUP.x25519Kyber768Draft00) {
      return {
        ...x25519,
        group,
        publicKey: concat(publicKey, mlKemKey(crypto.random)),
      };
    }
    return group === GROUP.x25519 ? x25519 : generateKeyShare(crypto, group);
  };
}
