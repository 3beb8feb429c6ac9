import { assertEquals, assertThrows } from "@std/assert";
import { type Bytes, DecodeError } from "../../src/core/bytes/mod.ts";
import {
  decodeCertificate,
  decodeCertificateBody,
  encodeCertificate,
  encodeCertificateBody,
} from "../../src/tls/messages/certificate.ts";
import {
  decodeCertificateRequest,
  encodeCertificateRequest,
} from "../../src/tls/messages/certificate_request.ts";
import {
  decodeCertificateVerify,
  encodeCertificateVerify,
  signedContent,
} from "../../src/tls/messages/certificate_verify.ts";
import {
  decodeCompressedCertificate,
  decompressCertificate,
  encodeCompressedCertificate,
} from "../../src/tls/messages/compressed_certificate.ts";
import {
  decodeEncryptedExtensions,
  encodeEncryptedExtensions,
} from "../../src/tls/messages/encrypted_extensions.ts";
import {
  decodeFinished,
  encodeFinished,
} from "../../src/tls/messages/finished.ts";
import {
  decodeKeyShareEntries,
  decodeKeyShareEntry,
  encodeKeyShareEntry,
} from "../../src/tls/messages/key_share_entry.ts";
import {
  decodeKeyUpdate,
  encodeKeyUpdate,
} from "../../src/tls/messages/key_update.ts";
import {
  decodeNewSessionTicket,
  encodeNewSessionTicket,
} from "../../src/tls/messages/new_session_ticket.ts";
import {
  decodeOfferedPsks,
  encodeOfferedPsks,
} from "../../src/tls/messages/pre_shared_key.ts";
import {
  decodeProtocolNames,
  encodeProtocolNames,
} from "../../src/tls/messages/protocol_name_list.ts";
import { TlsError } from "../../src/tls/error.ts";
import { traceBytes } from "./_rfc8448.ts";

const EXTENSIONS = [{ type: 10, data: Uint8Array.of(1, 2) }, {
  type: 0,
  data: new Uint8Array(0),
}];
const CERTIFICATE = {
  context: Uint8Array.of(9),
  entries: [
    { der: Uint8Array.of(1, 2, 3), extensions: EXTENSIONS },
    { der: Uint8Array.of(4), extensions: [] },
  ],
};

/** Encodings, and the decoder that takes each. */
const MESSAGES: Readonly<
  Record<string, readonly [Bytes, (bytes: Uint8Array) => unknown]>
> = {
  EncryptedExtensions: [
    encodeEncryptedExtensions(EXTENSIONS),
    decodeEncryptedExtensions,
  ],
  CertificateRequest: [
    encodeCertificateRequest({
      context: Uint8Array.of(1),
      extensions: EXTENSIONS,
    }),
    decodeCertificateRequest,
  ],
  Certificate: [encodeCertificate(CERTIFICATE), decodeCertificate],
  CompressedCertificate: [
    encodeCompressedCertificate(encodeCertificateBody(CERTIFICATE)),
    decodeCompressedCertificate,
  ],
  CertificateVerify: [
    encodeCertificateVerify({ scheme: 0x0403, signature: Uint8Array.of(5) }),
    decodeCertificateVerify,
  ],
  Finished: [
    encodeFinished(new Uint8Array(32)),
    (bytes) => decodeFinished(bytes, 32),
  ],
  NewSessionTicket: [
    encodeNewSessionTicket({
      lifetimeS: 0xffffffff,
      ageAdd: 7,
      nonce: Uint8Array.of(0),
      ticket: Uint8Array.of(1, 2),
      extensions: EXTENSIONS,
    }),
    decodeNewSessionTicket,
  ],
  KeyUpdate: [encodeKeyUpdate(true), decodeKeyUpdate],
  key_share: [
    encodeKeyShareEntry({ group: 29, keyExchange: Uint8Array.of(1, 2) }),
    decodeKeyShareEntry,
  ],
  pre_shared_key: [
    encodeOfferedPsks({
      identities: [{
        identity: Uint8Array.of(1),
        obfuscatedTicketAge: 0xfffffffe,
      }],
      binders: [new Uint8Array(32)],
    }),
    decodeOfferedPsks,
  ],
  ProtocolNameList: [
    encodeProtocolNames(["h2", "http/1.1"]),
    decodeProtocolNames,
  ],
};

for (const [name, [bytes, decode]] of Object.entries(MESSAGES)) {
  Deno.test(`${name} decodes whole, and no shorter or longer`, () => {
    decode(bytes);
    for (let length = 0; length < bytes.length; length++) {
      assertThrows(() => decode(bytes.subarray(0, length)), DecodeError);
    }
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    assertThrows(() => decode(longer), DecodeError);
  });
}

Deno.test("messages decode to what was encoded", () => {
  assertEquals(
    decodeEncryptedExtensions(MESSAGES.EncryptedExtensions![0]),
    EXTENSIONS,
  );
  assertEquals(decodeCertificate(encodeCertificate(CERTIFICATE)), CERTIFICATE);
  assertEquals(decodeKeyUpdate(encodeKeyUpdate(false)), false);
  assertEquals(decodeNewSessionTicket(MESSAGES.NewSessionTicket![0]), {
    lifetimeS: 0xffffffff,
    ageAdd: 7,
    nonce: Uint8Array.of(0),
    ticket: Uint8Array.of(1, 2),
    extensions: EXTENSIONS,
  });
  assertEquals(decodeProtocolNames(MESSAGES.ProtocolNameList![0]), [
    "h2",
    "http/1.1",
  ]);
  assertEquals(decodeOfferedPsks(MESSAGES.pre_shared_key![0]), {
    identities: [{
      identity: Uint8Array.of(1),
      obfuscatedTicketAge: 0xfffffffe,
    }],
    binders: [new Uint8Array(32)],
    bindersLength: 35,
  });
});

Deno.test("messages of RFC 8448 encode to the same bytes", () => {
  const trace = "clientAuthentication";
  const certificate = traceBytes(trace, "messageServerCertificate");
  assertEquals(encodeCertificate(decodeCertificate(certificate)), certificate);
  const request = traceBytes(trace, "messageCertificateRequest");
  assertEquals(
    encodeCertificateRequest(decodeCertificateRequest(request)),
    request,
  );
  const verify = traceBytes(trace, "messageServerCertificateVerify");
  assertEquals(
    encodeCertificateVerify(decodeCertificateVerify(verify)),
    verify,
  );
});

Deno.test("signedContent() starts with 64 spaces and names the signer (RFC 8446 §4.4.3)", () => {
  const content = signedContent("server", Uint8Array.of(1));
  assertEquals(content.length, 64 + 33 + 1 + 1);
  assertEquals(
    new TextDecoder().decode(content.subarray(64, 97)),
    "TLS 1.3, server CertificateVerify",
  );
  assertEquals([content[63], content[97], content[98]], [0x20, 0, 1]);
});

Deno.test("decompressCertificate() stops at the length said, however much there is behind it", () => {
  const bomb = decodeCompressedCertificate(
    encodeCompressedCertificate(new Uint8Array(1 << 23)),
  );
  assertThrows(() => decompressCertificate(bomb), TlsError, "8388608 bytes");
  const lie = { ...bomb, uncompressedLength: 1_000 };
  assertThrows(() => decompressCertificate(lie), TlsError, "not decompress");
  const good = decodeCompressedCertificate(MESSAGES.CompressedCertificate![0]);
  assertEquals(
    decodeCertificateBody(decompressCertificate(good)),
    CERTIFICATE,
  );
});

Deno.test("decodeKeyShareEntries() reads a hello's list", () => {
  const list = Uint8Array.of(0, 10, 0x2a, 0x2a, 0, 1, 0, 0, 29, 0, 1, 7);
  assertEquals(decodeKeyShareEntries(list), [
    { group: 0x2a2a, keyExchange: Uint8Array.of(0) },
    { group: 29, keyExchange: Uint8Array.of(7) },
  ]);
});
