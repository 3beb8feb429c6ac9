/**
 * A node as `betanet-dtn node` opens it, with an application in its endpoint `in`. The lines on its standard input say whom it meets and
 * parts from, what it sends, and what the application has taken.
 *
 * @module
 */
import { command, type Context, main, type Program } from "../../cli/_main.ts";
import { aborted } from "../../cli/_aborted.ts";
import type { DtnConfig } from "../../cli/dtn/config.ts";
import { carrierOf } from "../../cli/dtn/layers.ts";
import { openNode, type RunningDtnNode } from "../../cli/dtn/open_node.ts";
import { readDtnConfig } from "../../cli/dtn/settings.ts";
import { BoundedQueue } from "../../src/core/async/mod.ts";
import { StorageError } from "../../src/core/storage/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import {
  type Contact,
  ContactError,
  type ContactListener,
  type ConvergenceLayer,
  type Delivery,
  DtnNodeError,
  Eid,
  type NodeCounts,
  payloadOf,
  TcpclLayer,
} from "../../src/dtn/mod.ts";
import { bundleOf, digestOf, type Letter, numberIn } from "./_dtn_letter.ts";
import { orders, say } from "./_line_process.ts";

/** What the process is told at its start. */
export interface DtnProcessOptions {
  /** Flags over the default configuration, by dotted key. */
  readonly flags: Readonly<Record<string, string>>;
  /** Bytes of its disk that are taken up by something else until it is told `room`. */
  readonly ballastBytes?: number;
}

/** What it is told later. */
export type DtnOrder =
  | { readonly kind: "send"; readonly letter: Letter }
  | {
    readonly kind: "meet";
    readonly link: number;
    readonly address: Address;
  }
  | { readonly kind: "part"; readonly link: number }
  | { readonly kind: "accept"; readonly number: number }
  | { readonly kind: "room" }
  | { readonly kind: "report" };

/** What it says. */
export type DtnLine =
  | { readonly kind: "ready"; readonly address: Address }
  | {
    /** What became of a letter that was to be sent: `stored`, or a `DtnNodeErrorCode`. */
    readonly kind: "sent";
    readonly number: number;
    readonly outcome: string;
  }
  | {
    /** The application is given a letter. */
    readonly kind: "delivery";
    readonly number: number;
    readonly digest: string;
  }
  | {
    /** The node knows that the application has it: `isDurable` unless the disk was full. */
    readonly kind: "accepted";
    readonly number: number;
    readonly isDurable: boolean;
  }
  | { readonly kind: "parted"; readonly link: number }
  | {
    readonly kind: "report";
    readonly counts: NodeCounts;
    readonly neighbours: number;
    readonly bundles: number;
  };

const serve = command({
  usage: "Runs a node for a scenario.",
  flags: {},
  operands: [1, 1],
  async run(_flags, context) {
    const told: DtnProcessOptions = JSON.parse(context.operands[0]!);
    const config = readDtnConfig(undefined, told.flags);
    const ballast = `${config.node.state}/ballast`;
    if (told.ballastBytes) {
      await Deno.writeFile(ballast, new Uint8Array(told.ballastBytes));
    }
    await using running = await openNode(config, context);
    await using meetings = new Meetings(config);
    running.node.serve(meetings);
    const application = new Application(running);
    say({ kind: "ready", address: running.addresses[0]! });
    await Promise.race([
      aborted(context.signal),
      obey(context, { running, meetings, application, ballast }),
    ]);
  },
});

/** Until standard input ends, as it does with who started us. */
async function obey(
  { stdin }: Context,
  { running, meetings, application, ballast }: {
    readonly running: RunningDtnNode;
    readonly meetings: Meetings;
    readonly application: Application;
    readonly ballast: string;
  },
): Promise<void> {
  for await (const order of orders<DtnOrder>(stdin)) {
    if (order.kind === "send") void application.send(order.letter);
    else if (order.kind === "accept") application.accept(order.number);
    else if (order.kind === "meet") {
      void meetings.meet(order.link, order.address);
    } else if (order.kind === "part") meetings.part(order.link);
    else if (order.kind === "room") await Deno.remove(ballast);
    else {
      const { counts, neighbours } = running.node;
      const { bundles } = running.bundles.usage;
      say(
        { kind: "report", counts, neighbours: neighbours.length, bundles },
      );
    }
  }
}

/** Sends letters and is given some. */
class Application {
  readonly #running: RunningDtnNode;
  readonly #given = new Map<number, Delivery>();

  constructor(running: RunningDtnNode) {
    this.#running = running;
    void this.#take();
  }

  async send(letter: Letter): Promise<void> {
    const { number } = letter;
    const outcome = await this.#running.node
      .insert(bundleOf(letter), letter.priority)
      .then(() => "stored", (error) => {
        if (error instanceof DtnNodeError) return error.code;
        throw error;
      });
    say({ kind: "sent", number, outcome });
  }

  accept(number: number): void {
    const delivery = this.#given.get(number);
    let isDurable = true;
    try {
      delivery?.accept();
      this.#given.delete(number);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      isDurable = false;
    }
    say({ kind: "accepted", number, isDurable });
  }

  async #take(): Promise<void> {
    const { node } = this.#running;
    const registration = node.register(Eid.parse(`${node.nodeId}in`));
    for await (const delivery of registration) {
      const payload = payloadOf(delivery.bundle);
      const number = numberIn(payload);
      this.#given.set(number, delivery);
      say({ kind: "delivery", number, digest: digestOf(payload) });
    }
  }
}

/** Contacts that begin and end as orders say. */
class Meetings implements ContactListener {
  readonly address = "tcp://orders";
  readonly #layer: ConvergenceLayer;
  readonly #contacts = new Map<number, Contact>();
  readonly #arrivals = new BoundedQueue<Contact>({ capacity: 64 });

  constructor({ node }: DtnConfig) {
    this.#layer = new TcpclLayer({ nodeId: `${node.id}` });
  }

  async meet(link: number, address: Address): Promise<void> {
    try {
      const contact = await this.#layer.dial(carrierOf(address));
      this.#contacts.set(link, contact);
      if (!this.#arrivals.offer(contact)) contact.close();
      await contact.closed;
      this.#contacts.delete(link);
    } catch (error) {
      if (!(error instanceof ContactError)) throw error;
    }
    say({ kind: "parted", link });
  }

  /** Drops a contact in the midst of whatever is under way. */
  part(link: number): void {
    this.#contacts.get(link)?.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Contact> {
    return this.#arrivals[Symbol.asyncIterator]();
  }

  close(): void {
    this.#arrivals.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

const program: Program = {
  name: "dtn-node-process",
  usage: "Runs a node for a scenario.",
  commands: { serve },
};

await main(program);
