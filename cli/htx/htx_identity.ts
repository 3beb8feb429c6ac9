import type { Bytes } from "../../src/core/bytes/mod.ts";
import { StorageError } from "../../src/core/storage/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import type { Context } from "../_main.ts";
import { loadKeys, rotateKeys } from "./identity.ts";
import type { ServerKeys } from "./keys.ts";
import { signRecord } from "./record.ts";
import { carrierAddress, isHtx } from "./htx_address.ts";
import type { BehindHtxConfig } from "./behind_htx.ts";

/** The file of these keys in the folder of the state. */
export const HTX_KEYS = "htx.json";

/** The keys behind a node's `htx:` addresses, mode 0600. */
export class HtxIdentity {
  /** The keys. */
  readonly keys: ServerKeys;
  readonly #path: string;
  readonly #config: BehindHtxConfig;
  readonly #log: Context["log"];

  private constructor(
    path: string,
    keys: ServerKeys,
    config: BehindHtxConfig,
    log: Context["log"],
  ) {
    this.#path = path;
    this.keys = keys;
    this.#config = config;
    this.#log = log;
  }

  /**
   * Reads the keys in `folder`, or makes them.
   *
   * @throws {CliError} `failed` if they are not whole, or open to others.
   */
  static async load(
    folder: string,
    config: BehindHtxConfig,
    context: Pick<Context, "log" | "note">,
  ): Promise<HtxIdentity> {
    const path = `${folder}/${HTX_KEYS}`;
    const keys = await loadKeys(path, config.tickets, context);
    return new HtxIdentity(path, keys, config, context.log);
  }

  /**
   * The signed peer record for the `htx:` addresses among `addresses`, with the next ticket key once it is time; `undefined` if
   * there are none.
   *
   * @param quic Whether QUIC is there too, on the UDP ports of the same numbers. Default false.
   */
  record(addresses: readonly Address[], quic = false): Bytes | undefined {
    const ours = addresses.filter(isHtx);
    if (ours.length === 0) return undefined;
    this.#rotate();
    const { tickets, certificate } = this.#config;
    return signRecord({
      ...{ keys: this.keys, tickets },
      addresses: [
        ...ours.map(carrierAddress),
        ...quic ? ours.map((each) => each.replace(/^htx:/, "quic:")) : [],
      ],
      showsOwnCertificate: quic || certificate === undefined,
    });
  }

  /** A key that cannot be saved is good until the process ends. */
  #rotate(): void {
    try {
      if (!rotateKeys(this.#path, this.keys, this.#config.tickets)) return;
      this.#log.info("htx.ticket_key_rotated");
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#log.error("htx.keys_not_saved", { error });
    }
  }
}
