import { isBinding, mentionOf } from "./_mention.ts";
import { type Importing, specifierOf } from "./_specifier.ts";
import { isSource, ROOT, unitOf } from "./_unit.ts";

const EVERYWHERE = "everywhere";

type Units = readonly string[] | typeof EVERYWHERE;

/** Who may use what: the units of `src` by what they use. */
type Doors = Readonly<Record<string, Units>>;

const FILES = ["core/storage"];
const SOCKETS = ["core/transport"];

/** Packages and built-in modules; a name that ends in `/` stands for all below it. No unit may use one that is not listed. */
export const PACKAGES: Doors = {
  "@hono/hono": ["dtn", "fabric", "status"], // HTTP of applications and of people
  "@noble/": ["core/crypto"],
  "@std/toml": ["core/config"],
  "cbor-x": ["fabric"], // payloads of applications
  "node:crypto": ["core/crypto"],
  "node:dns/promises": SOCKETS,
  "node:sqlite": FILES,
  "node:tls": ["tls"], // rootCertificates
  "node:zlib": ["tls"], // brotli
  "pkijs": ["tls"],
  "prom-client": ["core/metrics"],
  "ts-mls/": ["fabric"], // group/mls
};

/** Values of the `Deno` namespace; its types are free. No unit may use one that is not listed. */
export const DENO: Doors = {
  "QuicEndpoint": SOCKETS,
  "build": EVERYWHERE,
  "chmodSync": FILES,
  "connect": SOCKETS,
  "connectQuic": SOCKETS,
  "customInspect": EVERYWHERE,
  "dlopen": ["ffi"],
  "errors": EVERYWHERE,
  "inspect": EVERYWHERE,
  "listen": SOCKETS,
  "listenDatagram": SOCKETS,
  "lstatSync": FILES,
  "makeTempFileSync": FILES,
  "openSync": FILES,
  "readDirSync": FILES,
  "readFileSync": FILES,
  "removeSync": FILES,
  "renameSync": FILES,
  "serve": SOCKETS,
  "upgradeWebSocket": SOCKETS,
  "writeTextFileSync": FILES,
};

/** Globals, or members of them, that reach out of the program, keep time or draw chance; the rest of the language is free. */
export const GLOBALS: Doors = {
  "AbortSignal.timeout": [],
  "BroadcastChannel": [],
  "Date.now": ["core/async", "core/log", "core/transport"], // defaults of options
  "EventSource": [],
  "Function": [],
  "Math.random": ["core/transport"], // the default of the memory network
  "WebSocket": [],
  "WebSocketStream": [],
  "Worker": [],
  "XMLHttpRequest": [],
  "alert": [],
  "caches": [],
  "confirm": [],
  "console": [],
  "crypto.getRandomValues": ["core/crypto", "core/transport"],
  "crypto.randomUUID": [],
  "crypto.subtle": ["core/transport"], // SHA-1 of the WebSocket upgrade, self-signed certificates
  "eval": [],
  "fetch": [],
  "globalThis": ["core/crypto", "core/storage"], // process.getBuiltinModule, so that a browser can load the unit
  "localStorage": [],
  "navigator": [],
  "performance": ["core/async", "core/crypto"], // crypto times its providers
  "process": ["core/crypto", "core/storage"],
  "prompt": [],
  "require": [],
  "self": [],
  "sessionStorage": [],
  "setImmediate": ["core/async"],
  "setInterval": [],
  "setTimeout": ["core/async"],
  "window": [],
};

/** The one file of `cli` that talks to the terminal, and what it keeps to itself. */
const TERMINAL_FILE = "cli/_terminal.ts";
const TERMINAL: ReadonlySet<string> = new Set([
  "console",
  "globalThis",
  "process",
  ...["args", "env", "exit", "stdin", "stdout", "stderr", "addSignalListener"]
    .map((name) => `Deno.${name}`),
]);

/** Lint rule: each resource is reached through one unit only. */
export const doors: Deno.lint.Rule = {
  create(ctx) {
    const path = ctx.filename;
    if (isSource(path)) return sourceVisitor(ctx, unitOf(path) ?? "src");
    if (!path.startsWith(`${ROOT}cli/`)) return {};
    return path === `${ROOT}${TERMINAL_FILE}`
      ? {}
      : visitUses((node, name, owner) => {
        if (TERMINAL.has(name) || TERMINAL.has(owner) || name === "Deno") {
          ctx.report({
            node,
            message: `Only ${TERMINAL_FILE} may use ${name}`,
          });
        }
      });
  },
};

function sourceVisitor(
  ctx: Deno.lint.RuleContext,
  unit: string,
): Deno.lint.LintVisitor {
  const refuse = (node: Deno.lint.Node, name: string, units: Units) => {
    if (units === EVERYWHERE || units.includes(unit)) return;
    const who = units.length > 0 ? `only ${units.join(" and ")}` : "no unit";
    ctx.report({ node, message: `${unit} may not use ${name}: ${who} may` });
  };
  const importing = (node: Importing) => {
    const name = specifierOf(node);
    if (name === undefined || name.startsWith(".")) return;
    const key = Object.keys(PACKAGES).find((key) =>
      key.endsWith("/") ? name.startsWith(key) : name === key
    );
    refuse(node, name, PACKAGES[key ?? ""] ?? []);
  };
  return {
    ImportDeclaration: importing,
    ExportNamedDeclaration: importing,
    ExportAllDeclaration: importing,
    ImportExpression: importing,
    TSImportEqualsDeclaration: importing,
    TSImportType: importing,
    ...visitUses((node, name, owner) => {
      const [, member] = name.match(/^Deno(?:\.(.+))?$/) ?? [];
      if (owner === "Deno") refuse(node, name, DENO[member ?? ""] ?? []);
      else refuse(node, name, GLOBALS[name] ?? GLOBALS[owner] ?? EVERYWHERE);
    }),
  };
}

/**
 * Calls `use` for each value that is taken of a global, with `name` as `owner` or `owner.member`. Where any member may be taken, that
 * is each that {@link GLOBALS} lists, unless the file gives the name of the owner to something else, as to a parameter `crypto`.
 * Otherwise local variables of the same name are not told apart.
 */
function visitUses(
  use: (node: Deno.lint.Node, name: string, owner: string) => void,
): Deno.lint.LintVisitor {
  const bound = new Set<string>();
  const whole: Deno.lint.Identifier[] = [];
  return {
    Identifier(node) {
      if (isBinding(node)) bound.add(node.name);
      const mention = mentionOf(node);
      if (mention === undefined) return;
      const { owner, member, isWhole } = mention;
      use(node, member === undefined ? owner : `${owner}.${member}`, owner);
      if (isWhole) whole.push(node);
    },
    "Program:exit"() {
      for (const node of whole.filter(({ name }) => !bound.has(name))) {
        const members = Object.keys(GLOBALS)
          .filter((name) => name.startsWith(`${node.name}.`));
        for (const name of members) use(node, name, node.name);
      }
    },
  };
}
