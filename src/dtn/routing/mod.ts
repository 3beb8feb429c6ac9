/**
 * Routers: which neighbours get a bundle.
 *
 * @module
 */
export {
  type ContactGraph,
  contactGraph,
  type ContactRoute,
  earliestArrival,
  type RouteQuery,
} from "./contact_graph.ts";
export {
  type ContactGraphOptions,
  type ContactGraphRouter,
  contactGraphRouter,
} from "./contact_graph_router.ts";
export {
  formatContactPlan,
  parseContactPlan,
  type PlannedContact,
} from "./contact_plan.ts";
export { type EpidemicOptions, epidemicRouter } from "./epidemic_router.ts";
export {
  PROPHET,
  type ProphetOptions,
  prophetRouter,
} from "./prophet_router.ts";
export type {
  NextHop,
  RoutedBundle,
  RouteDecision,
  Router,
  RouterMessage,
} from "./router.ts";
export { type SprayOptions, sprayRouter } from "./spray_router.ts";
export {
  parseStaticRoutes,
  type StaticRoute,
  staticRouter,
} from "./static_router.ts";
