/** Thrown where a text stops being TOML. */
export class TomlError extends Error {
  /** `"TomlError"`. */
  override readonly name = "TomlError";
  /** Line of the fault, from 1. */
  readonly line: number;

  /** Says what is wrong at `line`. */
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const BLANKS_REGEXP = /[ \t]*(?:#[\t -~\u0080-\uffff]*)?/y;
const NEWLINE_REGEXP = /\r?\n/y;

/** A cursor over a text that knows its line. */
export class TomlScanner {
  readonly #text: string;
  #position = 0;
  #line = 1;

  /** Starts at the first character of `text`. */
  constructor(text: string) {
    this.#text = text;
  }

  /** Line of the next character, from 1. */
  get line(): number {
    return this.#line;
  }

  /** Whether every character was taken. */
  get done(): boolean {
    return this.#position >= this.#text.length;
  }

  /** Takes what the sticky `pattern` matches here, if it does. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return undefined;
    this.#position += found.length;
    for (let at = -1; (at = found.indexOf("\n", at + 1)) >= 0;) this.#line++;
    return found;
  }

  /** Takes `token` if it comes next. */
  take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#position)) return false;
    this.#position += token.length;
    return true;
  }

  /** Takes spaces and tabs. */
  skipSpaces(): void {
    this.match(/[ \t]*/y);
  }

  /** Takes spaces, comments and line ends. */
  skipLines(): void {
    do this.match(BLANKS_REGEXP); while (this.match(NEWLINE_REGEXP));
  }

  /** Takes the rest of a line, which must hold nothing but a comment. */
  endLine(): void {
    this.match(BLANKS_REGEXP);
    if (!this.done && !this.match(NEWLINE_REGEXP)) {
      this.fail("want the end of the line");
    }
  }

  /** Fails at the current line. */
  fail(message: string): never {
    throw new TomlError(this.#line, message);
  }
}
