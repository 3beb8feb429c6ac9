import { assertEquals, assertThrows } from "@std/assert";
import {
  CryptoError,
  generateX25519,
  nobleProvider,
  nodeProvider,
  x25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import {
  HPKE_OVERHEAD,
  hpkeDeriveKeyPair,
  hpkeOpen,
  hpkeReceiveSecret,
  hpkeSeal,
  hpkeSendSecret,
} from "../../src/core/hpke/mod.ts";
import aesVector from "../vectors/rfc/hpke_x25519_aes128gcm.json" with {
  type: "json",
};
import vector from "../vectors/rfc/hpke_x25519_chacha20poly1305.json" with {
  type: "json",
};

const hex = (text: string) => Uint8Array.fromHex(text);

for (const provider of [nobleProvider, nodeProvider]) {
  Deno.test(`hpkeSeal() and hpkeOpen() give the values of RFC 9180 A.2.1 with ${provider.name}`, () => {
    const options = { info: hex(vector.info), aad: hex(vector.aad) };
    const sealed = hpkeSeal(
      provider,
      hex(vector.pkRm),
      hex(vector.pt),
      options,
      x25519KeyPair(provider, hex(vector.skEm)),
    );
    assertEquals(sealed.enc, hex(vector.enc));
    assertEquals(sealed.ciphertext, hex(vector.ct));
    const pair = x25519KeyPair(provider, hex(vector.skRm));
    assertEquals(hpkeOpen(provider, pair, sealed, options), hex(vector.pt));
  });
}

for (const provider of [nobleProvider, nodeProvider]) {
  Deno.test(`with AES-128-GCM, key derivation and exported secrets HPKE gives the values of RFC 9180 A.1.1 with ${provider.name}`, () => {
    const { aad, ct, enc, exports, pkEm, pkRm, pt, skRm } = aesVector;
    const aead = "aes-128-gcm";
    const info = hex(aesVector.info);
    const ephemeral = () => hpkeDeriveKeyPair(provider, hex(aesVector.ikmE));
    const pair = hpkeDeriveKeyPair(provider, hex(aesVector.ikmR));
    assertEquals(pair.privateKey.expose(), hex(skRm));
    assertEquals(pair.publicKey, hex(pkRm));
    assertEquals(ephemeral().publicKey, hex(pkEm));
    const options = { aead, info, aad: hex(aad) } as const;
    const sealed = hpkeSeal(
      provider,
      hex(pkRm),
      hex(pt),
      options,
      ephemeral(),
    );
    assertEquals(sealed, { enc: hex(enc), ciphertext: hex(ct) });
    assertEquals(hpkeOpen(provider, pair, sealed, options), hex(pt));
    assertEquals(exports.length, 3);
    for (const { exporter_context, L, exported_value } of exports) {
      const context = hex(exporter_context);
      const secret = hex(exported_value);
      const setup = { aead, info } as const;
      assertEquals(
        hpkeSendSecret(provider, hex(pkRm), context, L, setup, ephemeral()),
        { enc: hex(enc), secret },
      );
      assertEquals(
        hpkeReceiveSecret(provider, pair, hex(enc), context, L, setup),
        secret,
      );
    }
  });
}

Deno.test("hpkeOpen() refuses what was changed, meant for another or for something else", () => {
  const crypto = nodeProvider;
  const pair = generateX25519(crypto);
  const info = Uint8Array.of(1);
  const { enc, ciphertext } = hpkeSeal(
    crypto,
    pair.publicKey,
    Uint8Array.of(1, 2, 3),
    { info },
  );
  assertEquals(enc.length + ciphertext.length, 3 + HPKE_OVERHEAD);
  const refuses = (
    sealed: Parameters<typeof hpkeOpen>[2],
    options = { info },
    keyPair = pair,
  ) =>
    assertThrows(
      () => hpkeOpen(crypto, keyPair, sealed, options),
      CryptoError,
    ).code;
  const flipped = (bytes: Uint8Array, at: number) =>
    bytes.map((byte, i) => i === at ? byte ^ 1 : byte);
  for (let i = 0; i < 31; i++) {
    refuses({ enc: flipped(enc, i), ciphertext });
  }
  for (let i = 0; i < ciphertext.length; i++) {
    const sealed = { enc, ciphertext: flipped(ciphertext, i) };
    assertEquals(refuses(sealed), "unauthenticated");
  }
  refuses({ enc, ciphertext }, { info: Uint8Array.of(2) });
  refuses({ enc, ciphertext }, { info }, generateX25519(crypto));
  const low = { enc: new Uint8Array(32), ciphertext };
  assertEquals(refuses(low), "weak_key");
});
