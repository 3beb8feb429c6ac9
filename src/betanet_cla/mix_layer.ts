import {
  BoundedQueue,
  type Clock,
  Deadline,
  delay,
  systemClock,
} from "../core/async/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import { memoryStore, type Store } from "../core/storage/mod.ts";
import {
  type Address,
  type DialOptions,
  TransportError,
} from "../core/transport/mod.ts";
import {
  cla,
  type Contact,
  ContactError,
  type ContactListener,
  type ConvergenceLayer,
  type WindowOptions,
} from "../dtn/mod.ts";
import type { MixAddress } from "../mixnet/mod.ts";
import {
  askThroughMix,
  type MixCarrier,
  mixContactErrorOf,
} from "./mix_ask.ts";
import { MixContact, type MixContactOptions } from "./mix_contact.ts";
import { MixContacts } from "./mix_contacts.ts";
import type { MixDecisionLimits } from "./mix_decisions.ts";
import {
  encodeMixEnvelope,
  MAX_ENVELOPE_OVERHEAD,
  MIX_ID_LENGTH,
} from "./mix_envelope.ts";
import { MixInlet, type MixLayerCounts } from "./mix_inlet.ts";
import { formatMixNode, parseMixNode } from "./mix_node_address.ts";

/** Options of {@link MixLayer}. */
export interface MixLayerOptions {
  /** Carries messages; the layer takes all that come, and leaves it to the caller to close the client. */
  readonly client: MixCarrier;
  /** Draws ids of contacts and transfers. */
  readonly crypto: Pick<CryptoProvider, "random">;
  /** Our node id, e.g. `dtn://node/`, if peers are to be told who we are; they are not by default. */
  readonly nodeId?: string;
  /**
   * Nodes whose word we take for who they are, by node id, and where each is: their contacts have a node id, and bundles can be sent
   * back, there. Nothing proves that word, so a stranger who knows our address can claim it; what is sent goes to the address given
   * here. None by default.
   */
  readonly trusted?: ReadonlyMap<string, MixAddress>;
  /** Keeps what was decided about transfers over a restart; in memory by default. */
  readonly store?: Store;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Most bytes of a bundle that we send, default 1 MiB less 290 B, so that it fits into a message of a client with its usual limits. */
  readonly maxBundleBytes?: number;
  /** Most contacts that others opened; one more takes the place of the one that is idle longest, or is refused. Default 1,024. */
  readonly maxContacts?: number;
  /** Bundles of one contact that may wait for an answer; default 32 and 4 MiB. */
  readonly sending?: WindowOptions;
  /** Those of all contacts together; default 192 and 8 MiB: the client takes 256 requests and 8,192 packets. */
  readonly sendingTogether?: WindowOptions;
  /** Bundles of one contact that may wait for the node; further ones are refused with `noResources`. Default 64 and 8 MiB. */
  readonly receiving?: WindowOptions;
  /** Bytes of bundles that all contacts hold together for the node; further ones are refused with `noResources`. Default 32 MiB. */
  readonly maxHeldBytes?: number;
  /** What is remembered of transfers that were decided; default 65,536 for 8 days, longer than a gateway keeps a message. */
  readonly decisions?: MixDecisionLimits;
  /** How long one attempt at a bundle may take, in milliseconds, default 10 minutes. */
  readonly attemptTimeoutMs?: number;
  /** How long all attempts at a bundle may take until the contact is given up, in milliseconds, default 30 minutes. */
  readonly answerTimeoutMs?: number;
  /** How long to wait for a link to our gateway, and for the answer of a peer that has not answered before, in milliseconds, default 60 s. */
  readonly openTimeoutMs?: number;
  /** How long the link to our gateway may be down until all contacts end, in milliseconds, default 30 s. */
  readonly gatewayTimeoutMs?: number;
  /** How long a contact that others opened stays without a sign of life, in milliseconds, default 1 hour. */
  readonly idleTimeoutMs?: number;
}

const MINUTE_MS = 60_000;
const TICK_MS = 1_000;
const POLL_MS = 100;
/** Peers that are remembered as silent; beyond, the oldest gets the benefit of the doubt. */
const MAX_SILENT = 1_024;
const DEFAULTS = {
  clock: systemClock,
  maxBundleBytes: 1_048_576 - MAX_ENVELOPE_OVERHEAD,
  maxContacts: 1_024,
  sending: { maxCount: 32, maxBytes: 4_194_304 },
  sendingTogether: { maxCount: 192, maxBytes: 8_388_608 },
  receiving: { maxCount: 64, maxBytes: 8_388_608 },
  maxHeldBytes: 33_554_432,
  decisions: { maxCount: 65_536, keepMs: 8 * 24 * 60 * MINUTE_MS },
  attemptTimeoutMs: 10 * MINUTE_MS,
  answerTimeoutMs: 30 * MINUTE_MS,
  openTimeoutMs: MINUTE_MS,
  gatewayTimeoutMs: 30_000,
  idleTimeoutMs: 60 * MINUTE_MS,
} as const;

/**
 * Bundles through the mixnet: messages that nobody on the way can tell from cover, or follow from one node to the other.
 *
 * A bundle is a request, and the answer of the other side, once its node has stored the bundle, comes back by ways that the request
 * encloses: so who gets bundles does not learn from where. Lost packets are the client's to repeat; a request that fails as a whole is
 * repeated under the same transfer id, by which the other side knows it.
 *
 * A contact costs nothing but ids in the memory of the two. It can be opened while our gateway is linked; whether the peer lives shows
 * when it answers a bundle.
 */
export class MixLayer implements ConvergenceLayer, Disposable {
  /** `"mix"`. */
  readonly name = "mix";
  /** Where we are: `mix:` and the text of our mix address. */
  readonly address: Address;
  readonly #options: Required<Omit<MixLayerOptions, "nodeId" | "store">>;
  readonly #contact: MixContactOptions;
  readonly #contacts: MixContacts;
  readonly #inlet: MixInlet;
  /** Addresses at which a peer let a bundle time out. */
  readonly #silent = new Set<Address>();
  #downSinceMs: number | undefined;
  #cancelTick: () => void = () => {};

  /**
   * Begins to take the messages of the client.
   *
   * @throws {BundleError} `eid` if the node id is none.
   * @throws {RangeError} If it is too long.
   */
  constructor(options: MixLayerOptions) {
    const trusted = options.trusted ?? new Map<string, MixAddress>();
    const settings = { ...DEFAULTS, ...options, trusted };
    const { client, crypto, clock } = settings;
    const random = (length: number) => crypto.random(length);
    this.#options = settings;
    this.address = formatMixNode(client.address);
    this.#contact = {
      ...settings,
      random,
      nodeId: options.nodeId,
      room: new cla.Window(settings.sendingTogether),
    };
    encodeMixEnvelope({
      kind: "hello",
      contactId: random(MIX_ID_LENGTH),
      nodeId: options.nodeId,
    });
    this.#contacts = new MixContacts({
      ...settings,
      open: (identity) => new MixContact(identity, this.#contact),
    });
    this.#inlet = new MixInlet({
      ...{ client, clock, contacts: this.#contacts },
      store: options.store ?? memoryStore(),
      decisions: settings.decisions,
      budget: new cla.ByteBudget(settings.maxHeldBytes),
    });
    this.#tick();
  }

  /** What became of messages that came, so far. */
  get counts(): MixLayerCounts {
    return this.#inlet.counts;
  }

  /**
   * As {@link ConvergenceLayer.dial}, at an address such as `mix:betanet-mix:…`. A peer that let a bundle time out has to answer a
   * hello first; that any other lives is not asked.
   */
  async dial(
    address: Address,
    { signal }: DialOptions = {},
  ): Promise<Contact> {
    signal?.throwIfAborted();
    const { clock, openTimeoutMs } = this.#options;
    const peer = parseMixNode(address);
    using deadline = new Deadline(clock, openTimeoutMs, { signal });
    try {
      await this.#linked(deadline.signal);
      if (this.#silent.has(address)) await this.#hear(peer, deadline.signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw mixContactErrorOf(error);
    }
    this.#silent.delete(address);
    const contact = this.#contacts.dialled(peer, address);
    contact.greet();
    void contact.closed.then(() => {
      if (contact.error?.code === "timeout") this.#remember(address);
    });
    return contact;
  }

  /**
   * As {@link ConvergenceLayer.listen}, at {@link address} and nowhere else.
   *
   * @throws {RangeError} At another address.
   */
  listen(address: Address): Promise<ContactListener> {
    return Promise.try(() => this.#listener(address));
  }

  /** Ends every contact, and takes no message any more. */
  [Symbol.dispose](): void {
    this.#cancelTick();
    this.#contacts.fail(new ContactError("closed", "The layer was closed"));
    this.#inlet.close();
  }

  #listener(address: Address): ContactListener {
    if (address !== this.address) {
      throw new RangeError(`Messages come at ${this.address} only`);
    }
    if (this.#contacts.isListening) {
      throw new TransportError("in_use", "There is a listener already");
    }
    const { maxContacts } = this.#options;
    const queue = new BoundedQueue<Contact>({ capacity: maxContacts });
    const close = () => {
      this.#contacts.unlisten();
      queue.close();
    };
    this.#contacts.listen((contact) => queue.offer(contact));
    return {
      address,
      close,
      [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
      [Symbol.asyncDispose]: () => Promise.resolve(close()),
    };
  }

  async #linked(signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#options;
    while (!client.stats.connected) await delay(clock, POLL_MS, { signal });
  }

  /** Resolves once the peer has answered a hello. */
  async #hear(to: MixAddress, signal: AbortSignal): Promise<void> {
    const { openTimeoutMs } = this.#options;
    const hello = encodeMixEnvelope({
      kind: "hello",
      contactId: this.#contact.random(MIX_ID_LENGTH),
      nodeId: this.#contact.nodeId,
    });
    await askThroughMix(hello, {
      ...this.#options,
      to,
      attemptTimeoutMs: openTimeoutMs,
      onAttempt: () => {},
    }, signal);
  }

  #remember(address: Address): void {
    this.#silent.add(address);
    if (this.#silent.size <= MAX_SILENT) return;
    const [oldest] = this.#silent;
    this.#silent.delete(oldest!);
  }

  #tick(): void {
    const { client, clock, gatewayTimeoutMs } = this.#options;
    if (client.stats.connected) this.#downSinceMs = undefined;
    else this.#downSinceMs ??= clock.now();
    if (clock.now() - (this.#downSinceMs ?? Infinity) >= gatewayTimeoutMs) {
      this.#contacts.fail(
        new ContactError("disconnected", "There is no link to our gateway"),
      );
    }
    this.#contacts.tick(clock.now());
    this.#inlet.tick(clock.wallTime());
    this.#cancelTick = clock.setTimeout(() => this.#tick(), TICK_MS);
  }
}
