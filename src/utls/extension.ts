/** Extensions of hellos by name (IANA TLS ExtensionType Values); where two numbers are in use, the older has `Old` behind it. */
export const EXTENSION = {
  serverName: 0,
  statusRequest: 5,
  supportedGroups: 10,
  ecPointFormats: 11,
  signatureAlgorithms: 13,
  alpn: 16,
  signedCertificateTimestamp: 18,
  padding: 21,
  extendedMasterSecret: 23,
  compressCertificate: 27,
  sessionTicket: 35,
  preSharedKey: 41,
  earlyData: 42,
  supportedVersions: 43,
  cookie: 44,
  pskKeyExchangeModes: 45,
  certificateAuthorities: 47,
  signatureAlgorithmsCert: 50,
  keyShare: 51,
  quicTransportParameters: 57,
  applicationSettingsOld: 17513, // ALPS, Chrome up to 132
  applicationSettings: 17613, // ALPS
  trustAnchors: 0xca34,
  encryptedClientHello: 0xfe0d,
  renegotiationInfo: 0xff01,
} as const;
