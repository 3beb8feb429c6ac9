import { StorageError } from "../../src/core/storage/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import type { htx } from "../../mod.ts";
import { CliError } from "../_error.ts";
import { readRecord } from "../htx/record.ts";
import type { Route } from "../htx/route.ts";
import { Routes, type RoutesParts } from "../htx/routes.ts";
import type { DtnHtxConfig } from "./htx_config.ts";

/** Parts of {@link HtxRoutes}. */
export interface HtxRoutesParts extends RoutesParts {
  /** Whose records there are, and how to go. */
  readonly config: DtnHtxConfig;
}

/** The ways to the `htx:` addresses that records name. */
export class HtxRoutes implements Disposable {
  readonly #config: DtnHtxConfig;
  readonly #routes: Routes;

  /** Knows no way yet. */
  constructor(parts: HtxRoutesParts) {
    this.#config = parts.config;
    this.#routes = new Routes(parts);
  }

  /**
   * The way to the server at `address`, by its record as it is now.
   *
   * @throws {CliError} If no record that holds names the address.
   */
  to(address: Address): Route {
    return this.#routes.to(address, this.#recordOf(address));
  }

  /** Forgets what was learnt. */
  [Symbol.dispose](): void {
    this.#routes[Symbol.dispose]();
  }

  /** The record that names `address`, with no other address. */
  #recordOf(address: Address): htx.PeerRecord {
    const { records, carrier } = this.#config;
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
