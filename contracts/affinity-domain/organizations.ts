import { type HomeCommunityId, homeCommunityId } from '../../src/core/model/identifiers.ts'

/** Organizations of the affinity domain (AD 6.4-3, ini.md §4.9): code and exact name. */
export const organizations: Readonly<Record<string, string>> = {
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
  '970': 'Sistema TS',
  '001': 'SASN',
  '999': 'MDS',
  '950': 'GTW',
}

const arc = '2.16.840.1.113883.2.9.2'

/** The home of an organization: its code without leading zeros under the national arc (ini.md §3.4). */
export function organizationHome(code: string): HomeCommunityId | undefined {
  return Object.hasOwn(organizations, code) ? homeCommunityId(`urn:oid:${arc}.${Number(code)}`) : undefined
}

/** Organizations that are no region, and assist nobody: infrastructures and ministries (ini.md §4.9). */
const systems: ReadonlySet<string> = new Set(['000', '970', '999', '950'])

/** The home of an organization that may be a citizen's region of assistance. */
export function regionHome(code: string): HomeCommunityId | undefined {
  return systems.has(code) ? undefined : organizationHome(code)
}

/** The organization code of a home; undefined for a home outside the national arc. */
export function organizationOf(home: HomeCommunityId): string | undefined {
  return Object.keys(organizations).find((code) => organizationHome(code) === home)
}
