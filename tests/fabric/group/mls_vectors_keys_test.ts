import { assert, assertEquals } from "@std/assert";
import { decodeAuthenticatedContent } from "ts-mls/authenticatedContent.js";
import { refhash } from "ts-mls/crypto/hash.js";
import { decryptWithLabel, encryptWithLabel } from "ts-mls/crypto/hpke.js";
import {
  deriveSecret,
  deriveTreeSecret,
  expandWithLabel,
} from "ts-mls/crypto/kdf.js";
import { signWithLabel, verifyWithLabel } from "ts-mls/crypto/signature.js";
import { verifyConfirmationTag } from "ts-mls/framedContent.js";
import { encodeGroupContext, type GroupContext } from "ts-mls/groupContext.js";
import { extractWelcomeSecret } from "ts-mls/groupInfo.js";
import { initializeEpoch, mlsExporter } from "ts-mls/keySchedule.js";
import { computePskSecret, type PreSharedKeyID } from "ts-mls/presharedkey.js";
import {
  createSecretTree,
  deriveKey,
  deriveNonce,
  ratchetUntil,
} from "ts-mls/secretTree.js";
import { expandSenderDataKey, expandSenderDataNonce } from "ts-mls/sender.js";
import {
  createConfirmedHash,
  createInterimHash,
} from "ts-mls/transcriptHash.js";
import { decoded, hex, suiteOf, vectorsOf } from "./_mls_vectors.ts";

interface OfSuite {
  readonly cipher_suite: number;
}

type Fields<Name extends string> = Readonly<Record<Name, string>>;

interface Basics extends OfSuite {
  readonly ref_hash: Fields<"label" | "value" | "out">;
  readonly expand_with_label:
    & Fields<"secret" | "label" | "context" | "out">
    & { readonly length: number };
  readonly derive_secret: Fields<"secret" | "label" | "out">;
  readonly derive_tree_secret:
    & Fields<"secret" | "label" | "out">
    & { readonly generation: number; readonly length: number };
  readonly sign_with_label: Fields<
    "priv" | "pub" | "content" | "label" | "signature"
  >;
  readonly encrypt_with_label: Fields<
    | "priv"
    | "pub"
    | "label"
    | "context"
    | "plaintext"
    | "kem_output"
    | "ciphertext"
  >;
}

const basics = await vectorsOf<Basics>("crypto_basics");

Deno.test("MLS vectors, crypto-basics: hashes, secrets, signatures and HPKE with labels", async () => {
  assertEquals(basics.map((each) => each.cipher_suite), [1, 3]);
  for (const each of basics) {
    const { hash, hpke, kdf, signature } = suiteOf(each.cipher_suite);
    const { ref_hash, derive_secret } = each;
    assertEquals(
      await refhash(ref_hash.label, hex(ref_hash.value), hash),
      hex(ref_hash.out),
    );
    const expand = each.expand_with_label;
    const expanded = await expandWithLabel(
      hex(expand.secret),
      expand.label,
      hex(expand.context),
      expand.length,
      kdf,
    );
    assertEquals(expanded, hex(expand.out));
    assertEquals(
      await deriveSecret(hex(derive_secret.secret), derive_secret.label, kdf),
      hex(derive_secret.out),
    );
    const tree = each.derive_tree_secret;
    const derived = await deriveTreeSecret(
      hex(tree.secret),
      tree.label,
      tree.generation,
      tree.length,
      kdf,
    );
    assertEquals(derived, hex(tree.out));
    const signing = each.sign_with_label;
    const { label } = signing;
    const [pub, content] = [hex(signing.pub), hex(signing.content)];
    const own = await signWithLabel(
      hex(signing.priv),
      label,
      content,
      signature,
    );
    for (const one of [hex(signing.signature), own]) {
      assert(await verifyWithLabel(pub, label, content, one, signature));
    }
    const sealed = each.encrypt_with_label;
    const privateKey = await hpke.importPrivateKey(hex(sealed.priv));
    const publicKey = await hpke.importPublicKey(hex(sealed.pub));
    const [context, plaintext] = [hex(sealed.context), hex(sealed.plaintext)];
    const again = await encryptWithLabel(
      publicKey,
      sealed.label,
      context,
      plaintext,
      hpke,
    );
    for (
      const { enc, ct } of [
        { enc: hex(sealed.kem_output), ct: hex(sealed.ciphertext) },
        again,
      ]
    ) {
      assertEquals(
        await decryptWithLabel(
          privateKey,
          sealed.label,
          context,
          enc,
          ct,
          hpke,
        ),
        plaintext,
      );
    }
  }
});

interface SecretTreeVector extends OfSuite {
  readonly encryption_secret: string;
  readonly sender_data: Fields<
    "sender_data_secret" | "ciphertext" | "key" | "nonce"
  >;
  readonly leaves: readonly (readonly (
    & { readonly generation: number }
    & Fields<
      | "handshake_key"
      | "handshake_nonce"
      | "application_key"
      | "application_nonce"
    >
  )[])[];
}

Deno.test("MLS vectors, secret-tree: keys and nonces of every leaf and generation", async () => {
  const vectors = await vectorsOf<SecretTreeVector>("secret_tree");
  assertEquals(vectors.length, 6);
  for (
    const { cipher_suite, sender_data, encryption_secret, leaves } of vectors
  ) {
    const suite = suiteOf(cipher_suite);
    const secret = hex(sender_data.sender_data_secret);
    const ciphertext = hex(sender_data.ciphertext);
    assertEquals(
      await expandSenderDataKey(suite, secret, ciphertext),
      hex(sender_data.key),
    );
    assertEquals(
      await expandSenderDataNonce(suite, secret, ciphertext),
      hex(sender_data.nonce),
    );
    const root = hex(encryption_secret);
    const tree = await createSecretTree(leaves.length, root, suite.kdf);
    const keep = {
      retainKeysForGenerations: 1,
      retainKeysForEpochs: 1,
      maximumForwardRatchetSteps: 1024,
    };
    for (const [leaf, generations] of leaves.entries()) {
      const node = tree[2 * leaf]!;
      for (const { generation, ...wanted } of generations) {
        for (const  of of["handshake", "application"] as const) {
          const [at] = await ratchetUntil(
            node[of],
            generation,
            keep,
            suite.kdf,
          );
          assertEquals(
            await deriveKey(at.secret, generation, suite),
            hex(wanted[`${of}_key`]),
          );
          assertEquals(
            await deriveNonce(at.secret, generation, suite),
            hex(wanted[`${of}_nonce`]),
          );
        }
      }
    }
  }
});

interface KeyScheduleVector extends OfSuite {
  readonly group_id: string;
  readonly initial_init_secret: string;
  readonly epochs: readonly (
    & Fields<
      | "tree_hash"
      | "commit_secret"
      | "psk_secret"
      | "confirmed_transcript_hash"
      | "group_context"
      | "joiner_secret"
      | "welcome_secret"
      | "init_secret"
      | "sender_data_secret"
      | "encryption_secret"
      | "exporter_secret"
      | "epoch_authenticator"
      | "external_secret"
      | "confirmation_key"
      | "membership_key"
      | "resumption_psk"
      | "external_pub"
    >
    & {
      readonly exporter:
        & Fields<"label" | "context" | "secret">
        & { readonly length: number };
    }
  )[];
}

Deno.test("MLS vectors, key-schedule: every secret of every epoch, and the exporter", async () => {
  const vectors = await vectorsOf<KeyScheduleVector>("key_schedule");
  assertEquals(vectors.length, 2);
  for (
    const { cipher_suite, group_id, initial_init_secret, epochs } of vectors
  ) {
    const suite = suiteOf(cipher_suite);
    let initSecret: Uint8Array = hex(initial_init_secret);
    for (const [epoch, wanted] of epochs.entries()) {
      const context: GroupContext = {
        version: "mls10",
        cipherSuite: suite.name,
        groupId: hex(group_id),
        epoch: BigInt(epoch),
        treeHash: hex(wanted.tree_hash),
        confirmedTranscriptHash: hex(wanted.confirmed_transcript_hash),
        extensions: [],
      };
      assertEquals(encodeGroupContext(context), hex(wanted.group_context));
      const secrets = await initializeEpoch(
        initSecret,
        hex(wanted.commit_secret),
        context,
        hex(wanted.psk_secret),
        suite.kdf,
      );
      const { keySchedule } = secrets;
      assertEquals(secrets.joinerSecret, hex(wanted.joiner_secret));
      assertEquals(secrets.welcomeSecret, hex(wanted.welcome_secret));
      assertEquals(secrets.encryptionSecret, hex(wanted.encryption_secret));
      assertEquals(keySchedule, {
        initSecret: hex(wanted.init_secret),
        senderDataSecret: hex(wanted.sender_data_secret),
        exporterSecret: hex(wanted.exporter_secret),
        epochAuthenticator: hex(wanted.epoch_authenticator),
        externalSecret: hex(wanted.external_secret),
        confirmationKey: hex(wanted.confirmation_key),
        membershipKey: hex(wanted.membership_key),
        resumptionPsk: hex(wanted.resumption_psk),
      });
      assertEquals(
        await extractWelcomeSecret(
          secrets.joinerSecret,
          hex(wanted.psk_secret),
          suite.kdf,
        ),
        hex(wanted.welcome_secret),
      );
      const external = await suite.hpke.deriveKeyPair(
        keySchedule.externalSecret,
      );
      assertEquals(
        await suite.hpke.exportPublicKey(external.publicKey),
        hex(wanted.external_pub),
      );
      const { label, context: exported, length, secret } = wanted.exporter;
      assertEquals(
        await mlsExporter(
          keySchedule.exporterSecret,
          label,
          hex(exported),
          length,
          suite,
        ),
        hex(secret),
      );
      initSecret = keySchedule.initSecret;
    }
  }
});

interface PskVector extends OfSuite {
  readonly psks: readonly Fields<"psk_id" | "psk" | "psk_nonce">[];
  readonly psk_secret: string;
}

Deno.test("MLS vectors, psk_secret", async () => {
  const vectors = await vectorsOf<PskVector>("psk_secret");
  assertEquals(vectors.length, 22);
  for (const { cipher_suite, psks, psk_secret } of vectors) {
    const keys = psks.map(
      ({ psk_id, psk, psk_nonce }): [PreSharedKeyID, Uint8Array] => [
        {
          psktype: "external",
          pskId: hex(psk_id),
          pskNonce: hex(psk_nonce),
        },
        hex(psk),
      ],
    );
    assertEquals(
      await computePskSecret(keys, suiteOf(cipher_suite)),
      hex(psk_secret),
    );
  }
});

interface TranscriptVector extends OfSuite {
  readonly confirmation_key: string;
  readonly authenticated_content: string;
  readonly interim_transcript_hash_before: string;
  readonly confirmed_transcript_hash_after: string;
  readonly interim_transcript_hash_after: string;
}

Deno.test("MLS vectors, transcript-hashes", async () => {
  const vectors = await vectorsOf<TranscriptVector>("transcript_hashes");
  assertEquals(vectors.length, 2);
  for (const each of vectors) {
    const { hash } = suiteOf(each.cipher_suite);
    const { content, auth, wireformat } = decoded(
      decodeAuthenticatedContent,
      hex(each.authenticated_content),
    );
    assert(content.contentType === "commit" && auth.contentType === "commit");
    const confirmed = await createConfirmedHash(
      hex(each.interim_transcript_hash_before),
      { wireformat, content, signature: auth.signature },
      hash,
    );
    assertEquals(confirmed, hex(each.confirmed_transcript_hash_after));
    const tag = auth.confirmationTag;
    assertEquals(
      await createInterimHash(confirmed, tag, hash),
      hex(each.interim_transcript_hash_after),
    );
    const key = hex(each.confirmation_key);
    assert(await verifyConfirmationTag(key, tag, confirmed, hash));
  }
});
