import type { MessageEvents, MessagePeer } from "../../core/transport/mod.ts";
import type { AgentBook } from "../identity/agent_book.ts";
import { formatAgentName } from "../identity/agent_name.ts";
import type { Message } from "../message/message.ts";
import type { Letter, LetterTaker, Mailbox } from "./mailbox.ts";

/** Letters that an application has, and did not answer. */
const MAX_GIVEN = 64;
/** Bytes of them, beyond which it gets no more. */
const MAX_GIVEN_BYTES = 32 * 1024 * 1024;
const MAX_TEXT = 8 * 1024 * 1024;
const MAX_REASON = 64;
/** Codes of WebSockets: two that IANA registered, and ours as for applications of bundles. */
const CLOSE = { done: 1000, unsupported: 1003, tooMuch: 4013 };

/** What an application says of a letter. */
interface Answer {
  readonly n: number;
  readonly answer?: unknown;
  readonly refuse?: string;
}

/**
 * A WebSocket over which an application takes messages of one type.
 *
 * ```text
 * it gets     {"n":1,"id":…,"from":…,"name":…,"kind":…,"type":…,"priority":…,"createdMs":…,"deadlineMs":…,
 *              "metadata":{…},"isAgain":false,"value":…}
 * it answers  {"n":1}, {"n":1,"answer":…} or {"n":1,"refuse":"reason"}
 * ```
 *
 * A message that it did not answer goes to another application when the socket is gone.
 */
export class ListenerSocket implements MessageEvents, LetterTaker {
  readonly #peer: MessagePeer;
  readonly #mailbox: Mailbox;
  readonly #book: AgentBook;
  readonly #onClosed: () => void;
  readonly #given = new Map<number, Letter>();
  #givenBytes = 0;
  #n = 0;
  #isClosed = false;

  /** Takes letters at once. */
  constructor(
    peer: MessagePeer,
    mailbox: Mailbox,
    { book, onClosed }: {
      readonly book: AgentBook;
      readonly onClosed: () => void;
    },
  ) {
    this.#peer = peer;
    this.#mailbox = mailbox;
    this.#book = book;
    this.#onClosed = onClosed;
    mailbox.join(this);
  }

  /** Gives the application a letter. */
  offer(letter: Letter): boolean {
    const { incoming, json } = letter;
    const isFull = this.#given.size >= MAX_GIVEN ||
      this.#givenBytes > MAX_GIVEN_BYTES;
    if (this.#isClosed || isFull) return false;
    const n = ++this.#n;
    this.#given.set(n, letter);
    this.#givenBytes += json.length;
    const { message, isAgain, signal } = incoming;
    signal.addEventListener("abort", () => this.#take(n));
    const head = JSON.stringify({ n, ...this.#headOf(message), isAgain });
    this.#peer.send(`${head.slice(0, -1)},"value":${json}}`);
    return true;
  }

  /** The application has answered a letter. */
  message(message: string | Uint8Array): void {
    if (this.#isClosed) return;
    if (message.length > MAX_TEXT) return this.#end(CLOSE.tooMuch, "Too long");
    const answer = answerIn(message);
    if (!answer) {
      return this.#end(CLOSE.unsupported, 'Want {"n":…,"answer":…}');
    }
    const letter = this.#take(answer.n);
    if (!letter) return;
    if (answer.refuse === undefined) letter.answer(answer.answer);
    else letter.refuse(answer.refuse.slice(0, MAX_REASON));
    this.#mailbox.pump();
  }

  /** The socket is gone. */
  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#mailbox.leave(this, this.#given.values());
    this.#given.clear();
    this.#onClosed();
  }

  /** Closes it. */
  close(): void {
    this.#end(CLOSE.done, "The node closes");
  }

  #take(n: number): Letter | undefined {
    const letter = this.#given.get(n);
    if (!letter) return undefined;
    this.#given.delete(n);
    this.#givenBytes -= letter.json.length;
    return letter;
  }

  #headOf(message: Message): Record<string, unknown> {
    const { id, from, kind, type, priority, createdMs, deadlineMs } = message;
    const known = this.#book.get(from)?.record;
    const isNamed = known && this.#book.byName(known.name)?.equals(from);
    return {
      id: id.toHex(),
      from,
      ...isNamed && { name: formatAgentName(known.name) },
      ...{ kind, type, priority, createdMs, deadlineMs },
      metadata: Object.fromEntries(message.metadata),
    };
  }

  #end(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#peer.close(code, reason);
    this.closed();
  }
}

function answerIn(message: string | Uint8Array): Answer | undefined {
  if (typeof message !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(message);
    if (typeof value !== "object" || value === null) return undefined;
    const { n, refuse, answer } = value as Partial<Answer>;
    if (typeof n !== "number") return undefined;
    if (refuse === undefined) return { n, answer };
    return typeof refuse === "string" ? { n, refuse } : undefined;
  } catch {
    return undefined;
  }
}
