/**
 * Bundles over contact plans in simulated time: what schedulers make of the same contacts and traffic.
 *
 * @module
 */
export {
  linearScenario,
  meshScenario,
  planScenario,
  type PlanTraffic,
  type PricedContact,
  type Scenario,
  type SimulatedBundle,
  starScenario,
} from "./scenario.ts";
export { simulate, type SimulationResult } from "./simulate.ts";
