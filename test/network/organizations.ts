/** An organization of the Affinity Domain (ini.md §4.9). */
export interface Organization {
  /** Three digits, leading zero kept. */
  readonly code: string
  /** The exact display. */
  readonly display: string
  /** The arc under which it gives out identifiers; no leading zero. */
  readonly arc: string
  /** homeCommunityId. */
  readonly home: string
}

/** Root of all organizations' arcs; as an identifier system, the organization codes themselves. */
export const organizationsRoot = '2.16.840.1.113883.2.9.2'

/** Authorities of patient, person and prescription identifiers (ini.md §3.4). */
export const authority = {
  codiceFiscale: '2.16.840.1.113883.2.9.4.3.2',
  teamCard: '2.16.840.1.113883.2.9.4.3.7',
  prescription: '2.16.840.1.113883.2.9.4.3.8',
  stp: '2.16.840.1.113883.2.9.4.3.17',
  eni: '2.16.840.1.113883.2.9.4.3.18',
} as const

const displays: Readonly<Record<string, string>> = {
  '010': 'Regione Piemonte',
  '020': "Regione Valle d'Aosta",
  '030': 'Regione Lombardia',
  '041': 'P.A. Bolzano',
  '042': 'P.A. Trento',
  '050': 'Regione Veneto',
  '060': 'Regione Friuli Venezia Giulia',
  '070': 'Regione Liguria',
  '080': 'Regione Emilia-Romagna',
  '090': 'Regione Toscana',
  '100': 'Regione Umbria',
  '110': 'Regione Marche',
  '120': 'Regione Lazio',
  '130': 'Regione Abruzzo',
  '140': 'Regione Molise',
  '150': 'Regione Campania',
  '160': 'Regione Puglia',
  '170': 'Regione Basilicata',
  '180': 'Regione Calabria',
  '190': 'Regione Sicilia',
  '200': 'Regione Sardegna',
  '000': 'INI',
  '001': 'SASN',
  '950': 'GTW',
  '970': 'Sistema TS',
  '999': 'MDS',
}

/** `undefined` for a code that is not of the Affinity Domain. */
export function findOrganization(code: string): Organization | undefined {
  const display = displays[code]
  if (display === undefined) return undefined
  const arc = `${organizationsRoot}.${Number(code)}`
  return { code, display, arc, home: `urn:oid:${arc}` }
}

/** Throws for a code that is not of the Affinity Domain. */
export function organization(code: string): Organization {
  const found = findOrganization(code)
  if (found === undefined) throw new Error(`No organization has the code ${code}`)
  return found
}
