/**
 * What a convergence layer is put together from: bounded rooms for bundles under way, and what a contact says of itself.
 *
 * @module
 */
export { AdaptiveReader } from "./adaptive_reader.ts";
export { Assembly } from "./assembly.ts";
export { ByteBudget } from "./byte_budget.ts";
export { contactErrorOf, endingError } from "./contact_error.ts";
export { noContactCounts } from "./convergence_layer.ts";
export { Inbox, type Settle } from "./inbox.ts";
export { Window } from "./window.ts";
