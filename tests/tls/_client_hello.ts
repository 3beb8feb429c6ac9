import { type Bytes, concat, utf8, Writer } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type ClientHello,
  EXTENSION,
  type Extension,
  generateKeyShare,
  GROUP,
} from "../../src/utls/mod.ts";

/** What a hello of {@link clientHello} differs in. */
export interface HelloChanges extends Partial<ClientHello> {
  /** Extension data by type: put in the place of the plain hello's, or before its end; `undefined` leaves one out. */
  readonly with?: Readonly<Record<number, Uint8Array | undefined>>;
  /** Extensions behind all others. */
  readonly last?: readonly Extension[];
}

/** A plain TLS 1.3 hello for `localhost`, all its random parts zero but a real X25519 share, with `changes`. */
export function clientHello(changes: HelloChanges = {}): ClientHello {
  const { with: replaced = {}, last = [], ...fields } = changes;
  const data: Record<string, Uint8Array | undefined> = {
    ...plainExtensions(),
    ...replaced,
  };
  const extensions = Object.entries(data).flatMap(([type, data]) =>
    data ? [{ type: Number(type), data }] : []
  );
  return {
    legacyVersion: 0x0303,
    random: new Uint8Array(32),
    sessionId: new Uint8Array(32),
    cipherSuites: [0x1301, 0x1302, 0x1303],
    compressionMethods: Uint8Array.of(0),
    extensions: [...extensions, ...last],
    ...fields,
  };
}

function plainExtensions(): Record<number, Uint8Array> {
  using share = generateKeyShare(nodeProvider, GROUP.x25519);
  return {
    [EXTENSION.serverName]: serverName("localhost"),
    [EXTENSION.supportedVersions]: Uint8Array.of(2, 3, 4),
    [EXTENSION.supportedGroups]: u16List(GROUP.x25519, GROUP.p256),
    [EXTENSION.signatureAlgorithms]: u16List(0x0403, 0x0804, 0x0807, 0x0503),
    [EXTENSION.keyShare]: keyShares([GROUP.x25519, share.publicKey]),
  };
}

/** A `server_name` that holds `name`. */
export function serverName(name: string): Bytes {
  return vector(concat(Uint8Array.of(0), vector(utf8(name))));
}

/** Numbers with their length in two bytes before them. */
export function u16List(...values: readonly number[]): Bytes {
  const w = new Writer().u16(2 * values.length);
  for (const value of values) w.u16(value);
  return w.finish();
}

/** A `key_share` of a client. */
export function keyShares(
  ...shares: readonly (readonly [group: number, keyExchange: Uint8Array])[]
): Bytes {
  return vector(
    concat(
      ...shares.map(([group, keyExchange]) =>
        concat(Uint8Array.of(group >> 8, group), vector(keyExchange))
      ),
    ),
  );
}

/** Names of protocols, as ALPN and ALPS list them. */
export function protocols(...names: readonly string[]): Bytes {
  return vector(
    concat(
      ...names.map((name) => concat(Uint8Array.of(name.length), utf8(name))),
    ),
  );
}

/** A `pre_shared_key` whose binders are zeros. */
export function preSharedKey(
  identities: readonly Uint8Array[],
  binderLengths: readonly number[] = identities.map(() => 32),
): Bytes {
  return concat(
    vector(
      concat(...identities.map((id) => concat(vector(id), new Uint8Array(4)))),
    ),
    vector(
      concat(
        ...binderLengths.map((length) =>
          concat(Uint8Array.of(length), new Uint8Array(length))
        ),
      ),
    ),
  );
}

/** `bytes` with their length in two bytes before them. */
export function vector(bytes: Uint8Array): Bytes {
  return concat(Uint8Array.of(bytes.length >> 8, bytes.length), bytes);
}
