import { type Option, string } from "../src/core/config/mod.ts";

/** Where to listen so that programs of this machine alone reach it; 127.0.0.1 if it is not configured. */
export function loopbackHost(doc: string): Option<string> {
  return string({
    default: "127.0.0.1",
    doc,
    want: "localhost, ::1 or in 127.0.0.0/8",
    pattern: /localhost|127(?:\.[0-9]{1,3}){3}|::1/,
  });
}
