import type { Fabric } from "../agent/fabric.ts";
import { Mailbox } from "./mailbox.ts";

interface Opened {
  readonly mailbox: Mailbox;
  /** Takes the fabric's handler away; absent while there is none. */
  handling: Disposable | undefined;
}

/** Most types that applications listen to, of all agents. */
const MAX_MAILBOXES = 1_024;

/** The mailboxes of the agents of a node. */
export class Mailboxes {
  readonly #kept: ReadonlySet<string>;
  readonly #opened = new Map<string, Opened>();

  /** Starts with none; messages of types that are `kept` wait while no application listens, others are refused then. */
  constructor(kept: readonly string[]) {
    this.#kept = new Set(kept);
  }

  /** Letters that wait, and those refused as too many did. */
  get counts(): { readonly waiting: number; readonly refused: number } {
    let [waiting, refused] = [0, 0];
    for (const { mailbox } of this.#opened.values()) {
      waiting += mailbox.size;
      refused += mailbox.refused;
    }
    return { waiting, refused };
  }

  /** Lets messages of the types that are kept wait, of an agent. */
  keep(fabric: Fabric): void {
    for (const type of this.#kept) this.#handled(fabric, type);
  }

  /**
   * The mailbox of a type of an agent, which takes messages from now on.
   *
   * @throws {RangeError} If something else handles the type, or there are too many.
   */
  open(fabric: Fabric, type: string): Mailbox {
    return this.#handled(fabric, type).mailbox;
  }

  /** Nobody listens any more, perhaps: messages of a type that is not kept are then refused. */
  release(fabric: Fabric, type: string): void {
    const opened = this.#opened.get(keyOf(fabric, type));
    if (!opened || opened.mailbox.takers > 0 || this.#kept.has(type)) return;
    opened.handling?.[Symbol.dispose]();
    opened.handling = undefined;
  }

  #handled(fabric: Fabric, type: string): Opened {
    const key = keyOf(fabric, type);
    let opened = this.#opened.get(key);
    if (!opened && this.#opened.size >= MAX_MAILBOXES) {
      throw new RangeError(`Applications listen to ${MAX_MAILBOXES} types`);
    }
    opened ??= { mailbox: new Mailbox(), handling: undefined };
    opened.handling ??= fabric.handle(type, opened.mailbox.handler);
    this.#opened.set(key, opened);
    return opened;
  }
}

function keyOf({ agent }: Fabric, type: string): string {
  return `${agent.id} ${type}`;
}
