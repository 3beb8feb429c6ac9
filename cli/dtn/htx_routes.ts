import { equal } from "../../src/core/bytes/mod.ts";
import type {
  CryptoProvider,
  X25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import type { Logger } from "../../src/core/log/mod.ts";
import { StorageError } from "../../src/core/storage/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import type { htx } from "../../mod.ts";
import { CliError } from "../_error.ts";
import { PROXY_DEFAULTS } from "../htx/proxy_config.ts";
import { readRecord } from "../htx/record.ts";
import { Route } from "../htx/route.ts";
import type { DtnHtxConfig } from "./htx_config.ts";

/** Options of {@link HtxRoutes}. */
export interface HtxRoutesOptions {
  /** Whose records there are, and how to go. */
  readonly config: DtnHtxConfig;
  /** By which servers know us. */
  readonly keyPair: X25519KeyPair;
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Told of what routes do. */
  readonly log: Logger;
}

interface KnownRoute {
  readonly record: htx.PeerRecord;
  readonly route: Route;
}

/** The ways to the `htx:` addresses that records name. */
export class HtxRoutes implements Disposable {
  readonly #options: HtxRoutesOptions;
  readonly #routes = new Map<Address, KnownRoute>();

  /** Knows no way yet. */
  constructor(options: HtxRoutesOptions) {
    this.#options = options;
  }

  /**
   * The way to the server at `address`, by its record as it is now; what was learnt of the server serves until the record is another.
   *
   * @throws {CliError} If no record that holds names the address.
   */
  to(address: Address): Route {
    const record = this.#recordOf(address);
    const known = this.#routes.get(address);
    if (known && isSame(known.record, record)) return known.route;
    known?.route[Symbol.dispose]();
    const { config, ...parts } = this.#options;
    const { carrier, roots, session } = config;
    const route = new Route({
      ...{ ...parts, record },
      config: { ...PROXY_DEFAULTS, carrier, roots, session },
    });
    this.#routes.set(address, { record, route });
    return route;
  }

  /** Forgets what was learnt. */
  [Symbol.dispose](): void {
    for (const { route } of this.#routes.values()) route[Symbol.dispose]();
    this.#routes.clear();
  }

  /** The record that names `address`, with no other address. */
  #recordOf(address: Address): htx.PeerRecord {
    const { records, carrier } = this.#options.config;
    const wanted = address.replace(/^htx:/, `${carrier}:`);
    let cause: unknown;
    for (const each of records) {
      try {
        const record = readRecord(each);
        if (record.addresses.includes(wanted)) {
          return { ...record, addresses: [wanted] };
        }
      } catch (error) {
        if (!(error instanceof CliError || error instanceof StorageError)) {
          throw error;
        }
        cause = error;
      }
    }
    throw new CliError("failed", `No record names ${wanted}`, {
      cause,
      hint:
        "htx.records wants what that node printed, or the file htx.record of its state.",
    });
  }
}

function isSame(one: htx.PeerRecord, other: htx.PeerRecord): boolean {
  return one.sequence === other.sequence &&
    equal(one.publicKey, other.publicKey);
}
