import { assertEquals, assertThrows } from "@std/assert";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { readClientOffer } from "../../src/tls/client_offer.ts";
import { TlsError } from "../../src/tls/mod.ts";
import {
  negotiate,
  type Preferences,
  serverNameHash,
} from "../../src/tls/negotiate.ts";
import {
  SERVER_GROUPS,
  type ServerGroup,
} from "../../src/tls/server_key_share.ts";
import type { TicketState } from "../../src/tls/session_ticket.ts";
import { CIPHER_SUITE } from "../../src/tls/suite.ts";
import { EXTENSION, GROUP } from "../../src/utls/mod.ts";
import {
  clientHello,
  type HelloChanges,
  keyShares,
  preSharedKey,
  protocols,
  serverName,
  u16List,
} from "./_client_hello.ts";
import {
  type ServerCertificate,
  serverCertificate,
} from "../../src/tls/server_certificate.ts";
import { testCertificate } from "./_certificates.ts";

const { aes128GcmSha256, aes256GcmSha384, chacha20Poly1305Sha256 } =
  CIPHER_SUITE;
const X = EXTENSION;
const certificates: ServerCertificate[] = (["p256", "rsa"] as const).map(
  (key) => {
    const { certPem, keyPem } = testCertificate(key);
    const certificate = serverCertificate({ chainPem: certPem, keyPem });
    const names = ["localhost", `${key}.example.com`, "*.example.net"];
    return { ...certificate, names };
  },
);
const share = new Uint8Array(32);

const preferences: Preferences = {
  suites: [aes256GcmSha384, chacha20Poly1305Sha256, aes128GcmSha256],
  groups: SERVER_GROUPS,
  alpn: ["h2", "http/1.1"],
  certificates,
};

function choose(
  changes: HelloChanges,
  differing: Partial<Preferences> = {},
) {
  const offer = readClientOffer(clientHello(changes));
  return negotiate(offer, { ...preferences, ...differing }, crypto);
}

function alertFor(
  changes: HelloChanges,
  differing: Partial<Preferences> = {},
) {
  return assertThrows(() => choose(changes, differing), TlsError).alert;
}

Deno.test("negotiate() takes our best suite, but ChaCha20 where the client has it first", () => {
  const suiteFor = (...cipherSuites: number[]) =>
    choose({ cipherSuites }).suite.id;
  assertEquals(suiteFor(0x1301, 0x1303, 0x1302), aes256GcmSha384);
  assertEquals(suiteFor(0x1301, 0x1303), chacha20Poly1305Sha256);
  assertEquals(suiteFor(0x1303, 0x1302), chacha20Poly1305Sha256);
  assertEquals(suiteFor(0xfafa, 0x1303, 0x1302), chacha20Poly1305Sha256);
  assertEquals(
    alertFor({ cipherSuites: [0x1304, 0xc02b] }),
    "handshakeFailure",
  );
  const suites = [aes128GcmSha256];
  assertEquals(
    choose({ cipherSuites: [0x1303, 0x1301] }, { suites }).suite.id,
    aes128GcmSha256,
  );
});

const P256_FIRST = {
  [X.supportedGroups]: u16List(GROUP.p256, GROUP.x25519),
};
const GROUPS: Record<
  string,
  [Record<number, Uint8Array>, ServerGroup, boolean]
> = {
  "our best group of the shares": [
    {
      ...P256_FIRST,
      [X.keyShare]: keyShares([GROUP.p256, share], [GROUP.x25519, share]),
    },
    GROUP.x25519,
    true,
  ],
  "a share before a better group without one": [
    {
      [X.supportedGroups]: u16List(GROUP.x25519MlKem768, GROUP.p384),
      [X.keyShare]: keyShares([GROUP.p384, share]),
    },
    GROUP.p384,
    true,
  ],
  "our best group where there is no share": [
    {
      [X.supportedGroups]: u16List(0x0100, GROUP.p384, GROUP.p256),
      [X.keyShare]: keyShares([0x0100, share]),
    },
    GROUP.p256,
    false,
  ],
  "our best group where there are no shares at all": [
    {
      ...P256_FIRST,
      [X.keyShare]: keyShares(),
    },
    GROUP.x25519,
    false,
  ],
};

for (const [what, [extensions, group, hasShare]] of Object.entries(GROUPS)) {
  Deno.test(`negotiate() takes ${what}`, () => {
    const choice = choose({ with: extensions });
    assertEquals(choice.group, group);
    assertEquals(choice.keyExchange !== undefined, hasShare);
  });
}

Deno.test("negotiate() fails without a group in common", () => {
  const extensions = {
    [X.supportedGroups]: u16List(0x0100),
    [X.keyShare]: keyShares([0x0100, share]),
  };
  assertEquals(alertFor({ with: extensions }), "handshakeFailure");
});

Deno.test("negotiate() takes the client's first suite where it is to follow the client", () => {
  const suiteFor = (...cipherSuites: number[]) =>
    choose({ cipherSuites }, { followsClient: true }).suite.id;
  assertEquals(suiteFor(0x1301, 0x1303, 0x1302), aes128GcmSha256);
  assertEquals(suiteFor(0x1305, 0x1303, 0x1302), chacha20Poly1305Sha256);
});

Deno.test("negotiate() takes our first protocol of the client's", () => {
  const protocolFor = (names: string[], alpn = preferences.alpn) =>
    choose({ with: { [X.alpn]: protocols(...names) } }, { alpn }).alpn;
  assertEquals(protocolFor(["http/1.1", "h2"]), "h2");
  assertEquals(protocolFor(["h3", "http/1.1"]), "http/1.1");
  assertEquals(protocolFor(["h3"], []), undefined);
  assertEquals(choose({}).alpn, undefined);
  assertEquals(
    alertFor({ with: { [X.alpn]: protocols("h3") } }),
    "noApplicationProtocol",
  );
});

Deno.test("negotiate() picks the certificate by name, then by what the client can check", () => {
  const chosenFor = (name: string | undefined, ...schemes: number[]) => {
    const { certificate } = choose({
      with: {
        [X.serverName]: name === undefined ? undefined : serverName(name),
        [X.signatureAlgorithms]: u16List(...schemes),
      },
    });
    return certificates.indexOf(certificate!.certificate);
  };
  assertEquals(chosenFor("RSA.example.COM", 0x0403, 0x0804), 1);
  assertEquals(chosenFor("p256.example.com", 0x0804, 0x0403), 0);
  assertEquals(chosenFor("localhost", 0x0804, 0x0403), 0);
  assertEquals(chosenFor("localhost", 0x0804), 1);
  assertEquals(chosenFor("a.example.net", 0x0403), 0);
  assertEquals(chosenFor("a.b.example.net", 0x0403), 0);
  assertEquals(chosenFor("example.net", 0x0403), 0);
  assertEquals(chosenFor(undefined, 0x0804), 1);
});

Deno.test("negotiate() fails where no certificate's key fits the client's schemes", () => {
  const only = (scheme: number) => ({
    [X.signatureAlgorithms]: u16List(scheme),
  });
  assertEquals(alertFor({ with: only(0x0807) }), "handshakeFailure");
  assertEquals(alertFor({ with: only(0x0401) }), "handshakeFailure");
  assertEquals(
    alertFor({
      with: { ...only(0x0804), [X.serverName]: serverName("p256.example.com") },
    }),
    "handshakeFailure",
  );
});

const ticket = new Uint8Array(192).fill(1);
const stale = new Uint8Array(192).fill(2);
const resuming: HelloChanges = {
  with: { [X.pskKeyExchangeModes]: Uint8Array.of(1, 1) },
  last: [{ type: X.preSharedKey, data: preSharedKey([stale, ticket]) }],
};
const state: TicketState = {
  cipherSuite: aes256GcmSha384,
  issuedAtMs: 0,
  firstHandshakeAtMs: 0,
  ageAdd: 0,
  serverNameHash: serverNameHash(crypto, "LOCALHOST"),
  psk: new Uint8Array(48),
};

function openTicket(differing: Partial<TicketState> = {}) {
  return {
    openTicket: (identity: Uint8Array) =>
      identity[0] === 1 ? { ...state, ...differing } : undefined,
  };
}

Deno.test("negotiate() resumes the first ticket that opens", () => {
  assertEquals(choose(resuming, openTicket()).psk, { index: 1, state });
  assertEquals(choose(resuming).psk, undefined);
});

Deno.test("negotiate() needs no signature_algorithms to resume, but to fall back from it", () => {
  const bare = {
    ...resuming,
    with: { ...resuming.with, [X.signatureAlgorithms]: undefined },
  };
  assertEquals(choose(bare, openTicket()).psk?.index, 1);
  assertEquals(alertFor(bare), "missingExtension");
});

Deno.test("negotiate() resumes no session of another host, hash, or without (EC)DHE", () => {
  const otherHost = { serverNameHash: serverNameHash(crypto, "example.com") };
  assertEquals(choose(resuming, openTicket(otherHost)).psk, undefined);
  const otherHash = { cipherSuite: aes128GcmSha256 };
  assertEquals(choose(resuming, openTicket(otherHash)).psk, undefined);
  const sameHash = { cipherSuite: aes128GcmSha256 };
  assertEquals(
    choose({ ...resuming, cipherSuites: [0x1303] }, openTicket(sameHash)).psk
      ?.index,
    1,
  );
  const pskAlone = {
    ...resuming,
    with: { [X.pskKeyExchangeModes]: Uint8Array.of(1, 0) },
  };
  assertEquals(choose(pskAlone, openTicket()).psk, undefined);
});

Deno.test("negotiate() tries four tickets of a client, no more", () => {
  const tried: number[] = [];
  choose({
    ...resuming,
    last: [{
      type: X.preSharedKey,
      data: preSharedKey(Array.from({ length: 99 }, () => stale)),
    }],
  }, { openTicket: (ticket) => void tried.push(ticket.length) });
  assertEquals(tried, [192, 192, 192, 192]);
});
