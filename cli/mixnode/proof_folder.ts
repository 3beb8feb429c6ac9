import { encodeHex, utf8 } from "../../src/core/bytes/mod.ts";
import type { Logger } from "../../src/core/log/mod.ts";
import {
  formatRouteProof,
  type PrivacyMode,
  type ProvableRoute,
  type RouteProof,
} from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";

/** What {@link ProofFolder} needs. */
export interface ProofFolderOptions {
  /** How many mixes the routes have. */
  readonly mode: PrivacyMode;
  /** The signed documents that they are drawn from. */
  readonly directory: {
    signedDocument(epoch: number): Uint8Array | undefined;
  };
  /** Where it says what it could not write. */
  readonly log: Logger;
}

/**
 * Keeps what proves a client's routes: `routes.jsonl` with a line of JSON for each, and `document-<epoch>` for what each epoch's are
 * drawn from. Who reads them knows where all those packets went, so they are for their owner only (mode 600).
 */
export class ProofFolder implements Disposable {
  readonly #path: string;
  readonly #options: ProofFolderOptions;
  readonly #routes: Deno.FsFile;
  #epoch = -1;

  /**
   * Makes the folder, or goes on with one that is there.
   *
   * @throws {CliError} `failed` if it cannot be written.
   */
  constructor(path: string, options: ProofFolderOptions) {
    this.#path = path;
    this.#options = options;
    try {
      Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
      this.#routes = openFile(`${path}/routes.jsonl`, { append: true });
    } catch (cause) {
      throw new CliError("failed", `Cannot write proofs to ${path}`, {
        cause,
        hint: "--proofs names a folder, which is made if it is absent.",
      });
    }
  }

  /** Writes down a route and its proof; one that cannot be written is logged, as the packet goes anyway. */
  add({ epoch, hops }: ProvableRoute, proof: RouteProof): void {
    const { mode, log } = this.#options;
    const line = JSON.stringify({
      epoch,
      from: encodeHex(hops[0]!.address),
      to: encodeHex(hops.at(-1)!.address),
      mode,
      proof: formatRouteProof(proof),
    });
    try {
      if (epoch !== this.#epoch) this.#keepDocument(epoch);
      this.#routes.writeSync(utf8(`${line}\n`));
    } catch (error) {
      log.error("mixnet.proof_not_written", { path: this.#path, error });
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#routes.close();
  }

  #keepDocument(epoch: number) {
    const document = this.#options.directory.signedDocument(epoch);
    if (!document) return;
    using file = openFile(`${this.#path}/document-${epoch}`, {
      truncate: true,
    });
    file.writeSync(document);
    this.#epoch = epoch;
  }
}

function openFile(
  path: string,
  how: { readonly append: true } | { readonly truncate: true },
): Deno.FsFile {
  const options = { write: true, create: true, mode: 0o600, ...how };
  return Deno.openSync(path, options);
}
