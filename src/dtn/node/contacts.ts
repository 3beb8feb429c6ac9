import { Backoff } from "../../core/async/mod.ts";
import type { Address } from "../../core/transport/mod.ts";
import type { Eid } from "../bundle/eid.ts";
import type {
  Contact,
  ContactListener,
  ConvergenceLayer,
} from "../cla/convergence_layer.ts";
import type { Forwarder } from "./forwarder.ts";
import { Neighbour, type SendingCost } from "./neighbour.ts";
import type { NodeContext } from "./node_context.ts";
import type { Reception } from "./reception.ts";
import type { RouterTalk } from "./router_talk.ts";

const RECONNECT = { minMs: 250, maxMs: 30_000 };
const SILENCE_MS = 60_000;
const FREE: SendingCost = {
  bytesPerSecond: Infinity,
  latencyMs: 0,
  energyPerByte: 0,
  moneyPerByte: 0,
  exposure: 0,
  reliability: 1,
};

/** Keeps contacts with neighbours, of whatever convergence layer. */
export class Contacts {
  readonly #context: NodeContext;
  readonly #forwarder: Forwarder;
  readonly #reception: Reception;
  readonly #routerTalk: RouterTalk;
  readonly #open = new Set<Contact>();
  readonly #over = new AbortController();

  /** Starts without a neighbour. */
  constructor(
    context: NodeContext,
    forwarder: Forwarder,
    reception: Reception,
    routerTalk: RouterTalk,
  ) {
    this.#context = context;
    this.#forwarder = forwarder;
    this.#reception = reception;
    this.#routerTalk = routerTalk;
  }

  /** Takes contacts of `listener`, which it closes at its own end; sending over them costs `cost`. */
  serve(listener: ContactListener, cost?: SendingCost): void {
    const { tasks } = this.#context;
    this.#over.signal.addEventListener("abort", () => listener.close());
    tasks.track((async () => {
      for await (const contact of listener) {
        tasks.track(this.#use(contact, undefined, cost));
      }
    })());
  }

  /** Keeps a contact with the node at `address`, dialed again after random pauses whenever it ends; sending over it costs `cost`. */
  connect(
    layer: ConvergenceLayer,
    address: Address,
    nodeId?: Eid,
    cost?: SendingCost,
  ): void {
    this.#context.tasks.track(
      this.#keep(layer, address, nodeId && `${nodeId}`, cost),
    );
  }

  /** Ends every contact. */
  close(): void {
    this.#over.abort();
    for (const contact of this.#open) contact.close();
  }

  async #keep(
    layer: ConvergenceLayer,
    address: Address,
    nodeId: string | undefined,
    cost: SendingCost | undefined,
  ): Promise<void> {
    const { counts, options: { random }, clock, log } = this.#context;
    const { signal } = this.#over;
    const backoff = new Backoff({ ...RECONNECT, random, clock });
    while (!signal.aborted) {
      try {
        const contact = await layer.dial(address, { signal });
        backoff.reset();
        await this.#use(contact, nodeId, cost);
      } catch (error) {
        if (signal.aborted) return;
        counts.failedDials++;
        log.debug("dtn.unreachable", { address, error });
      }
      await backoff.wait({ signal }).catch(() => {});
    }
  }

  /** Sends to and receives from a neighbour until the contact is over. */
  async #use(
    contact: Contact,
    nodeId: string | undefined,
    cost: SendingCost = this.#context.options.cost ?? FREE,
  ): Promise<void> {
    if (this.#over.signal.aborted) return contact.close();
    const { counts, options, tasks, clock } = this.#context;
    const { silenceMs = SILENCE_MS } = options;
    this.#open.add(contact);
    counts.contacts++;
    const id = contact.peerNodeId ?? nodeId;
    const neighbour = id === undefined
      ? undefined
      : new Neighbour({ id, contact, cost, silenceMs, clock });
    if (neighbour && this.#forwarder.begin(neighbour)) {
      this.#routerTalk.contactBegan(neighbour.id);
    }
    this.#forwarder.scanSoon();
    try {
      for await (const received of contact.received) {
        tasks.track(this.#reception.take(received, id));
      }
      await contact.closed;
    } finally {
      this.#open.delete(contact);
      if (neighbour && this.#forwarder.end(neighbour)) {
        this.#routerTalk.contactEnded(neighbour.id);
        this.#forwarder.scanSoon();
      }
    }
  }
}
