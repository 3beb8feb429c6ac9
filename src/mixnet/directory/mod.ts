/**
 * How documents of the network come about and get to nodes and clients: authorities, and those who ask them.
 *
 * @module
 */
export {
  DirectoryAuthority,
  type DirectoryAuthorityOptions,
} from "./directory_authority.ts";
export {
  DirectoryClient,
  type DirectoryClientOptions,
} from "./directory_client.ts";
export {
  type DirectoryAnswer,
  type DirectoryFetch,
  directoryFetch,
  type DirectoryRequest,
} from "./directory_fetch.ts";
export {
  directoryRequests,
  type DirectoryRequestsOptions,
} from "./directory_requests.ts";
export { type EpochSchedule, epochSchedule } from "./epoch_schedule.ts";
export {
  encodeEvidence,
  type Evidence,
  type EvidenceKind,
  verifyEvidence,
} from "./evidence.ts";
export { EvidenceBook } from "./evidence_book.ts";
export { MIN_PAYLOAD_LENGTH } from "./network_parameters.ts";
export {
  publishDescriptor,
  type PublishDescriptorOptions,
} from "./publish_descriptor.ts";
export type { Statement } from "./statement.ts";
