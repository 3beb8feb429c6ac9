import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../src/core/bytes/mod.ts";
import {
  checkClientOffer,
  checkRetriedOffer,
} from "../../src/tls/client_hello_check.ts";
import { readClientOffer } from "../../src/tls/client_offer.ts";
import { type AlertName, TlsError } from "../../src/tls/mod.ts";
import { EXTENSION, GROUP } from "../../src/utls/mod.ts";
import {
  clientHello,
  type HelloChanges,
  keyShares,
  preSharedKey,
  protocols,
  u16List,
} from "./_client_hello.ts";

const X = EXTENSION;
const share = new Uint8Array(32);
const ticket = new Uint8Array(9);
const modes = { [X.pskKeyExchangeModes]: Uint8Array.of(1, 1) };
const psk = { type: X.preSharedKey, data: preSharedKey([ticket]) };

/** RFC 8446: what is wrong with the hello, and the alert for it. */
const ILLEGAL: Record<string, [HelloChanges, AlertName | "decodeError"]> = {
  "of SSL 3.0": [{ legacyVersion: 0x0300 }, "protocolVersion"],
  "of TLS 1.2": [
    { with: { [X.supportedVersions]: undefined } },
    "protocolVersion",
  ],
  "of TLS 1.2 in supported_versions": [
    { with: { [X.supportedVersions]: Uint8Array.of(2, 3, 3) } },
    "protocolVersion",
  ],
  "with no compression method": [
    { compressionMethods: new Uint8Array(0) },
    "illegalParameter",
  ],
  "with DEFLATE beside null": [
    { compressionMethods: Uint8Array.of(1, 0) },
    "illegalParameter",
  ],
  "with an extension twice": [
    { last: [{ type: X.supportedVersions, data: Uint8Array.of(2, 3, 4) }] },
    "illegalParameter",
  ],
  "with an unknown extension twice": [
    {
      last: [0, 1].map(() => ({ type: 0x7777, data: new Uint8Array(0) })),
    },
    "illegalParameter",
  ],
  "with pre_shared_key before another": [
    { with: modes, last: [psk, { type: 0x7777, data: new Uint8Array(0) }] },
    "illegalParameter",
  ],
  "with pre_shared_key without modes": [{ last: [psk] }, "missingExtension"],
  "with fewer binders than identities": [
    {
      with: modes,
      last: [{ ...psk, data: preSharedKey([ticket, ticket], [32]) }],
    },
    "illegalParameter",
  ],
  "with more binders than identities": [
    {
      with: modes,
      last: [{ ...psk, data: preSharedKey([ticket], [32, 32]) }],
    },
    "illegalParameter",
  ],
  "with a short binder": [
    { with: modes, last: [{ ...psk, data: preSharedKey([ticket], [31]) }] },
    "decodeError",
  ],
  "with no identity": [
    { with: modes, last: [{ ...psk, data: preSharedKey([]) }] },
    "decodeError",
  ],
  "with groups without shares": [
    { with: { [X.keyShare]: undefined } },
    "missingExtension",
  ],
  "with shares without groups": [
    { with: { [X.supportedGroups]: undefined } },
    "missingExtension",
  ],
  "without signature_algorithms": [
    { with: { [X.signatureAlgorithms]: undefined } },
    "missingExtension",
  ],
  "with a share of a group it does not support": [
    { with: { [X.keyShare]: keyShares([GROUP.p384, share]) } },
    "illegalParameter",
  ],
  "with shares in another order than the groups": [
    {
      with: {
        [X.keyShare]: keyShares([GROUP.p256, share], [GROUP.x25519, share]),
      },
    },
    "illegalParameter",
  ],
  "with two shares of a group": [
    {
      with: {
        [X.keyShare]: keyShares([GROUP.x25519, share], [GROUP.x25519, share]),
      },
    },
    "illegalParameter",
  ],
  "with QUIC parameters": [
    { with: { [X.quicTransportParameters]: new Uint8Array(0) } },
    "unsupportedExtension",
  ],
  "with records of 63 bytes": [
    { with: { 28: Uint8Array.of(0, 63) } },
    "illegalParameter",
  ],
  "with an empty share": [
    { with: { [X.keyShare]: keyShares([GROUP.x25519, new Uint8Array(0)]) } },
    "decodeError",
  ],
  "with an empty list of groups": [
    { with: { [X.supportedGroups]: u16List() } },
    "decodeError",
  ],
  "with an empty list of protocols": [
    { with: { [X.alpn]: protocols() } },
    "decodeError",
  ],
  "with an empty protocol": [
    { with: { [X.alpn]: protocols("h2", "") } },
    "decodeError",
  ],
  "with bytes behind its groups": [
    {
      with: {
        [X.supportedGroups]: Uint8Array.of(0, 2, 0, 29, 0),
      },
    },
    "decodeError",
  ],
  "with half a signature scheme": [
    { with: { [X.signatureAlgorithms]: Uint8Array.of(0, 3, 4, 3, 8) } },
    "decodeError",
  ],
  "with early data that has a length": [
    { with: { [X.earlyData]: Uint8Array.of(0, 0, 0, 0) } },
    "decodeError",
  ],
  "with a name of another type": [
    { with: { [X.serverName]: Uint8Array.of(0, 4, 1, 0, 1, 97) } },
    "decodeError",
  ],
  "with an empty name": [
    { with: { [X.serverName]: Uint8Array.of(0, 3, 0, 0, 0) } },
    "decodeError",
  ],
};

for (const [what, [changes, alert]] of Object.entries(ILLEGAL)) {
  Deno.test(`checkClientOffer() answers a hello ${what} with ${alert}`, () => {
    assertEquals(alertFor(() => check(changes)), alert);
  });
}

Deno.test("checkClientOffer() passes over what it does not know, and GREASE", () => {
  check({
    cipherSuites: [0x0a0a, 0x1301, 0xc02b],
    with: {
      0x1a1a: new Uint8Array(0),
      0x7777: new Uint8Array(9),
      [X.supportedVersions]: Uint8Array.of(6, 0x3a, 0x3a, 3, 4, 3, 3),
      [X.supportedGroups]: u16List(0x2a2a, GROUP.x25519, 0x0100),
      [X.keyShare]: keyShares(
        [0x2a2a, Uint8Array.of(0)],
        [GROUP.x25519, share],
        [0x0100, share],
      ),
      ...modes,
    },
    last: [psk],
  });
});

Deno.test("readClientOffer() leaves GREASE out and says what else is offered", () => {
  const offer = readClientOffer(clientHello({
    cipherSuites: [0x4a4a, 0x1303, 0x1301],
    with: {
      [X.supportedGroups]: u16List(0x5a5a, GROUP.x25519),
      [X.alpn]: protocols("h2", "http/1.1"),
      [X.compressCertificate]: Uint8Array.of(2, 0, 2),
      [X.applicationSettings]: protocols("h2"),
      [X.earlyData]: new Uint8Array(0),
      28: Uint8Array.of(0x40, 1),
      ...modes,
    },
    last: [psk],
  }));
  assertEquals(offer.cipherSuites, [0x1303, 0x1301]);
  assertEquals(offer.groups, [GROUP.x25519]);
  assertEquals(offer.serverName, "localhost");
  assertEquals(offer.alpn, ["h2", "http/1.1"]);
  assertEquals(offer.certificateCompressions, [2]);
  assertEquals([...offer.applicationSettings], [[17613, ["h2"]], [17513, []]]);
  assertEquals(offer.recordSizeLimit, 0x4001);
  assertEquals(offer.earlyData, true);
  assertEquals(offer.pskModes, [1]);
  assertEquals(offer.psks?.identities.map((psk) => psk.identity), [ticket]);
  assertEquals(offer.psks?.bindersLength, 2 + 33);
});

const first = { with: { [X.earlyData]: new Uint8Array(0), 0x7777: ticket } };
const again = {
  [X.earlyData]: undefined,
  0x7777: ticket,
  [X.keyShare]: keyShares([GROUP.p256, share]),
};
const cookie = Uint8Array.of(0, 2, 7, 9);

const RETRIES: Record<string, [HelloChanges, AlertName | undefined]> = {
  "as asked": [{ with: { ...again, [X.cookie]: cookie } }, undefined],
  "with padding and a pre-shared key": [
    {
      with: {
        ...again,
        [X.cookie]: cookie,
        [X.padding]: new Uint8Array(9),
        ...modes,
      },
      last: [psk],
    },
    "illegalParameter", // the modes were not there before
  ],
  "with padding": [
    {
      with: { ...again, [X.cookie]: cookie, [X.padding]: new Uint8Array(9) },
    },
    undefined,
  ],
  "with another random": [
    {
      random: new Uint8Array(32).fill(1),
      with: { ...again, [X.cookie]: cookie },
    },
    "illegalParameter",
  ],
  "with other suites": [
    { cipherSuites: [0x1301], with: { ...again, [X.cookie]: cookie } },
    "illegalParameter",
  ],
  "with an extension changed": [
    { with: { ...again, 0x7777: share, [X.cookie]: cookie } },
    "illegalParameter",
  ],
  "with an extension less": [
    { with: { ...again, 0x7777: undefined, [X.cookie]: cookie } },
    "illegalParameter",
  ],
  "with the old share": [
    {
      with: {
        ...again,
        [X.keyShare]: keyShares([GROUP.x25519, share]),
        [X.cookie]: cookie,
      },
    },
    "illegalParameter",
  ],
  "with both shares": [
    {
      with: {
        ...again,
        [X.keyShare]: keyShares([GROUP.x25519, share], [GROUP.p256, share]),
        [X.cookie]: cookie,
      },
    },
    "illegalParameter",
  ],
  "with early data": [
    {
      with: {
        ...again,
        [X.earlyData]: new Uint8Array(0),
        [X.cookie]: cookie,
      },
    },
    "illegalParameter",
  ],
  "without the cookie": [{ with: again }, "missingExtension"],
  "with another cookie": [
    { with: { ...again, [X.cookie]: Uint8Array.of(0, 2, 7, 8) } },
    "illegalParameter",
  ],
};

for (const [what, [changes, alert]] of Object.entries(RETRIES)) {
  Deno.test(`checkRetriedOffer() takes a second hello ${what} as ${alert ?? "good"}`, () => {
    const retried = readClientOffer(clientHello(changes));
    const asked = { group: GROUP.p256, cookie: cookie.subarray(2) };
    assertEquals(
      alertFor(() =>
        checkRetriedOffer(readClientOffer(clientHello(first)), retried, asked)
      ),
      alert,
    );
  });
}

Deno.test("checkRetriedOffer() takes no cookie that was not sent", () => {
  const second = readClientOffer(
    clientHello({ with: { ...again, [X.cookie]: cookie } }),
  );
  assertEquals(
    alertFor(() =>
      checkRetriedOffer(readClientOffer(clientHello(first)), second, {
        group: GROUP.p256,
      })
    ),
    "illegalParameter",
  );
});

Deno.test("checkRetriedOffer() takes pre-shared keys if the first hello had some", () => {
  for (const last of [[], [psk]]) {
    const offer = (changes: HelloChanges) =>
      readClientOffer(clientHello(changes));
    const before = offer({ with: { ...first.with, ...modes }, last });
    const second = offer({ with: { ...again, ...modes }, last: [psk] });
    assertEquals(
      alertFor(() => checkRetriedOffer(before, second, { group: GROUP.p256 })),
      last.length > 0 ? undefined : "illegalParameter",
    );
  }
});

function check(changes: HelloChanges): void {
  checkClientOffer(readClientOffer(clientHello(changes)));
}

/** The alert that the fault of `run` calls for; a `DecodeError` calls for `decodeError`. */
function alertFor(run: () => void): AlertName | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof TlsError) return error.alert;
    assertThrows(() => {
      throw error;
    }, DecodeError);
    return "decodeError";
  }
}
