/** What a certificate is for: a TLS channel (CN `A1#…`) or signatures on assertions and tokens (CN `S1#…`). */
export type Use = 'tls' | 'signing'

export type KeyType = 'rsa-2048' | 'rsa-1024' | 'p-256' | 'p-384'

/** What is wrong with a bad identity, each thing alone. */
export type Defect =
  | 'expired'
  | 'not-yet-valid'
  | 'unknown-ca'
  | 'self-signed'
  | 'wrong-eku'
  | 'wrong-key-usage'
  | 'wrong-policy'
  | 'right-ca-wrong-home'
  | 'revoked'
  | 'weak'

/** Who stands behind an identity: an organization of the Affinity Domain (table 6.4-3) and a system of theirs. */
export interface Organization {
  /** Three digits, leading zero kept. */
  readonly code: string
  /** The exact display of the Affinity Domain. */
  readonly display: string
  /** What follows the second `#` of the common name. */
  readonly system: string
}

/** Both pairs of one party, or of one way of being bad. */
export interface Identity {
  /** The folder under `out/`. */
  readonly name: string
  readonly organization: Organization
  readonly uses: readonly Use[]
  readonly keyType: KeyType
  /** What the files are called, where one party has a second pair for the same use. */
  readonly suffix?: string
  /** Issued by the authority below the signing root, whose certificate is beside it as `chain.pem`. */
  readonly chained?: true
  readonly defect?: Defect
}

/** Days from the moment of making: certificates begin and end there. */
export interface Validity {
  readonly fromDay: number
  readonly toDay: number
}

/** Good certificates: valid since yesterday, so that clocks may differ. */
export const validity: Validity = { fromDay: -1, toDay: 365 }

/** The validity a defect brings with it. The far future stays the future as long as the files are kept. */
export const oddValidity: Partial<Readonly<Record<Defect, Validity>>> = {
  expired: { fromDay: -60, toDay: -30 },
  'not-yet-valid': { fromDay: 3650, toDay: 4015 },
}

/** Certificate policies of the channel and of the signature certificates (ini.md §5.4). */
export const policies: Readonly<Record<Use, string>> = { tls: '1.3.76.29.1.10', signing: '1.3.76.29.1.11' }

const organizations = {
  tuscany: { code: '090', display: 'Regione Toscana', system: '090REGIONETOSCANA-DEV' },
  gateway: { code: '090', display: 'Regione Toscana', system: '090CROCEVIA-DEV' },
  portal: { code: '090', display: 'Regione Toscana', system: '090PORTALE-DEV' },
  ini: { code: '000', display: 'INI', system: '000INI-DEV' },
  // The national FSE 2.0 gateway, which calls back (ini.md §4.9, §7.4).
  'fse-gateway': { code: '950', display: 'GTW', system: '950GTW-DEV' },
  'region-050': { code: '050', display: 'Regione Veneto', system: '050REGIONEVENETO-DEV' },
  'region-120': { code: '120', display: 'Regione Lazio', system: '120REGIONELAZIO-DEV' },
  'region-150': { code: '150', display: 'Regione Campania', system: '150REGIONECAMPANIA-DEV' },
  // The authorities vouch for it, yet no organization has this code and no federation lists it.
  stranger: { code: '040', display: 'Regione Inesistente', system: '040STRANIERO-DEV' },
} as const satisfies Record<string, Organization>

/** The parties of the development federation. */
export type PartyName = keyof typeof organizations

export const partyNames = Object.keys(organizations) as readonly PartyName[]

export function organizationOf(party: PartyName): Organization {
  return organizations[party]
}

/** `A1#090#090CROCEVIA-DEV` for the channel, `S1#090#…` for signatures (ini.md §5.3, §5.4). */
export function commonName({ code, system }: Organization, use: Use): string {
  return `${use === 'tls' ? 'A1' : 'S1'}#${code}#${system}`
}

const both: readonly Use[] = ['tls', 'signing']

function bad(defect: Defect, more: Partial<Identity> = {}): Identity {
  const organization = organizations['region-050']
  return { name: `bad/${defect}`, organization, uses: both, keyType: 'rsa-2048', defect, ...more }
}

/** A second signing pair of a party. */
function second(name: PartyName, more: Partial<Identity>): Identity {
  return { name, organization: organizations[name], uses: ['signing'], keyType: 'rsa-2048', ...more }
}

/** Everything that is made for organizations. */
export const identities: readonly Identity[] = [
  ...partyNames.map((name): Identity => ({ name, organization: organizations[name], uses: both, keyType: 'rsa-2048' })),
  // Good pairs: signatures over elliptic curves must be understood where the configuration allows them.
  second('region-050', { keyType: 'p-256', suffix: '-ec' }),
  second('region-050', { keyType: 'p-384', suffix: '-p384' }),
  // A good pair, which needs the certificate of the authority between it and the root.
  second('region-120', { suffix: '-chain', chained: true }),
  bad('expired'),
  bad('not-yet-valid'),
  bad('unknown-ca'),
  bad('self-signed'),
  bad('wrong-eku'),
  bad('wrong-key-usage', { uses: ['signing'] }),
  bad('wrong-policy'),
  bad('revoked'),
  bad('weak', { keyType: 'rsa-1024' }),
  // For whoever claims to be region 050: the authorities are right, the name is another region's.
  bad('right-ca-wrong-home', { organization: { ...organizations['region-120'], system: '120ALTRAREGIONE-DEV' } }),
]

/** Whose key pincodes and fiscal codes are encrypted with for Sistema TS; the real one has this name (sistema-ts.md A.5). */
export const encryption = { name: 'sistema-ts/SanitelCF', commonName: 'SanitelCF', display: 'Agenzia delle Entrate' }

/** Whose pairs are also written as PKCS#12, under a password beside them. */
export const inPkcs12: PartyName = 'gateway'
