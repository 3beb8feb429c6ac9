import { assert, assertEquals } from "@std/assert";
import { defaultClientConfig } from "ts-mls/clientConfig.js";
import { joinGroup, makePskIndex } from "ts-mls/clientState.js";
import { acceptAll } from "ts-mls/incomingMessageAction.js";
import type { KeyPackage } from "ts-mls/keyPackage.js";
import { decodeMlsMessage } from "ts-mls/message.js";
import { processMessage } from "ts-mls/processMessages.js";
import { decodeRatchetTree } from "ts-mls/ratchetTree.js";
import { bytesToBase64 } from "ts-mls/util/byteArray.js";
import { readKeyPackageMessage } from "../../../src/fabric/group/mls/group_messages.ts";
import { decoded, hex, suiteOf } from "./_mls_vectors.ts";

/** The life of a client that is added and then listens. */
export interface PassiveClient {
  readonly cipher_suite: number;
  readonly external_psks: readonly {
    readonly psk_id: string;
    readonly psk: string;
  }[];
  readonly key_package: string;
  readonly signature_priv: string;
  readonly encryption_priv: string;
  readonly init_priv: string;
  readonly welcome: string;
  readonly ratchet_tree: string | null;
  readonly initial_epoch_authenticator: string;
  readonly epochs: readonly {
    readonly proposals: readonly string[];
    readonly commit: string;
    readonly epoch_authenticator: string;
  }[];
}

/** Joins by the Welcome and follows all epochs, each of which must have the authenticator that the vector says. */
export async function follow(vector: PassiveClient): Promise<void> {
  const suite = suiteOf(vector.cipher_suite);
  const keyPackage = readKeyPackageMessage(hex(vector.key_package));
  await assertKeysFit(vector, keyPackage);
  const psks = Object.fromEntries(
    vector.external_psks.map(({ psk_id, psk }) => [
      bytesToBase64(hex(psk_id)),
      hex(psk),
    ]),
  );
  const welcome = decoded(decodeMlsMessage, hex(vector.welcome));
  assert(welcome.wireformat === "mls_welcome");
  let state = await joinGroup(
    welcome.welcome,
    keyPackage,
    {
      initPrivateKey: hex(vector.init_priv),
      hpkePrivateKey: hex(vector.encryption_priv),
      signaturePrivateKey: hex(vector.signature_priv),
    },
    makePskIndex(undefined, psks),
    suite,
    vector.ratchet_tree === null
      ? undefined
      : decoded(decodeRatchetTree, hex(vector.ratchet_tree)),
    undefined,
    defaultClientConfig,
  );
  assertEquals(
    state.keySchedule.epochAuthenticator,
    hex(vector.initial_epoch_authenticator),
  );
  for (const { proposals, commit, epoch_authenticator } of vector.epochs) {
    for (const text of [...proposals, commit]) {
      const message = decoded(decodeMlsMessage, hex(text));
      assert(
        message.wireformat === "mls_private_message" ||
          message.wireformat === "mls_public_message",
      );
      const index = makePskIndex(state, psks);
      const done = await processMessage(
        message,
        state,
        index,
        acceptAll,
        suite,
      );
      state = done.newState;
    }
    assertEquals(
      state.keySchedule.epochAuthenticator,
      hex(epoch_authenticator),
    );
  }
}

async function assertKeysFit(
  vector: PassiveClient,
  { initKey, leafNode }: KeyPackage,
): Promise<void> {
  const { hpke, signature } = suiteOf(vector.cipher_suite);
  const info = new Uint8Array();
  const message = Uint8Array.of(1, 2, 3);
  for (
    const [publicKey, privateKey] of [
      [initKey, vector.init_priv],
      [leafNode.hpkePublicKey, vector.encryption_priv],
    ] as const
  ) {
    const { enc, ct } = await hpke.seal(
      await hpke.importPublicKey(publicKey),
      message,
      info,
    );
    const key = await hpke.importPrivateKey(hex(privateKey));
    assertEquals(await hpke.open(key, enc, ct, info), message);
  }
  const signed = await signature.sign(hex(vector.signature_priv), message);
  assert(await signature.verify(leafNode.signaturePublicKey, message, signed));
}
