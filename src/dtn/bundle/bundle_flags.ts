/** Bundle processing control flags (RFC 9171 §4.2.3); what is not here is kept and ignored. */
export const BUNDLE_FLAG = {
  /** The bundle is a fragment. */
  isFragment: 0x000001,
  /** The payload is an administrative record. */
  adminRecord: 0x000002,
  /** The bundle must not be fragmented. */
  mustNotFragment: 0x000004,
  /** The user application asks for an acknowledgement. */
  acknowledge: 0x000020,
  /** Status reports tell the time. */
  reportTime: 0x000040,
  /** Report reception. */
  reportReception: 0x004000,
  /** Report forwarding. */
  reportForwarding: 0x010000,
  /** Report delivery. */
  reportDelivery: 0x020000,
  /** Report deletion. */
  reportDeletion: 0x040000,
} as const;

/** The flags that ask for status reports. */
export const REPORT_FLAGS: number = BUNDLE_FLAG.reportReception |
  BUNDLE_FLAG.reportForwarding | BUNDLE_FLAG.reportDelivery |
  BUNDLE_FLAG.reportDeletion;

/** `flags` and `flag`; unlike `|`, it keeps those above 2^32. */
export function withFlag(flags: number, flag: number): number {
  return (flags & flag) === 0 ? flags + flag : flags;
}
