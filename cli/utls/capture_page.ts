import type { CaptureKind } from "./capture_hellos.ts";

/** How many connections of a kind a page tries at once. */
const AT_ONCE: Readonly<Record<CaptureKind, number>> = {
  page: 12,
  websocket: 4,
  address: 12,
  resumed: 4,
  retry: 4,
};

/** What opens the `n`-th connection of a kind; `w` tells those at once apart. */
const OPEN: Readonly<Record<CaptureKind, string>> = {
  page: "fetch(`https://h${n}.silent.example/`, { mode: 'no-cors' })",
  websocket:
    "new Promise((_, no) => new WebSocket(`wss://h${n}.silent.example/`).onerror = no)",
  address: "fetch(`https://198.18.${n >> 8}.${n & 255}/`, { mode: 'no-cors' })", // RFC 2544
  resumed: "fetch(`https://h${w}.resume.example/${n}`, { mode: 'no-cors' })",
  retry: "fetch(`https://h${n}.retry.example/`, { mode: 'no-cors' })",
};

/** A page that opens connections of each of `kinds` without end. */
export function capturePage(kinds: readonly CaptureKind[]): string {
  return `<!doctype html><script>
const run = (workers, open) => {
  let next = 0;
  const work = async (w) => {
    for (;;) {
      try { await open(next++, w); } catch {}
    }
  };
  for (let w = 0; w < workers; w++) work(w);
};
${
    kinds.map((kind) => `run(${AT_ONCE[kind]}, (n, w) => ${OPEN[kind]});`)
      .join("\n")
  }
</script>`;
}
