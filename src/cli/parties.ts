import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { organizationHome, organizations } from '../../contracts/affinity-domain/organizations.ts'
import { type HomeCommunityId, homeCommunityId } from '../core/model/identifiers.ts'
import { CliError } from './exit.ts'

/** Parties of the development federation, by the organization they speak for. */
const codes: Readonly<Record<string, string>> = {
  tuscany: '090',
  portal: '090',
  gateway: '090',
  ini: '000',
  'region-050': '050',
  'region-120': '120',
  'region-150': '150',
  // Whom the authorities vouch for and nobody knows.
  stranger: '040',
}

/** Which party speaks for an organization; a party's own name stands for itself. Throws CliError. */
export function partyOf(organization: string): string {
  if (Object.hasOwn(codes, organization)) return organization
  const [party] = Object.entries(codes).find(([, code]) => code === organization) ?? []
  if (party !== undefined) return party
  throw new CliError(
    'usage',
    `nobody here speaks for ${organization}; those are ${[...new Set(Object.values(codes))].join(', ')}`,
  )
}

/** Somebody to speak as: their organization, and where their keys are. */
export interface Identity {
  readonly name: string
  readonly organization: string
  readonly organizationName: string
  readonly home: HomeCommunityId
  readonly tls: { readonly certificate: string; readonly key: string }
  readonly signing: { readonly certificate: string; readonly key: string }
  /** Authority of the servers, PEM. */
  readonly authority: string
}

/** Loads a party's identity from a folder laid out as `npm run certs` does. Throws CliError. */
export function identityOf(name: string, folder: string): Identity {
  const organization = Object.hasOwn(codes, name) ? codes[name] : undefined
  if (organization === undefined) {
    throw new CliError('usage', `unknown party ${name}; parties are ${Object.keys(codes).join(', ')}`)
  }
  if (!existsSync(join(folder, 'ca.pem'))) {
    throw new CliError('usage', `no identities in ${folder}; make them with: npm run certs`)
  }
  const read = (...path: string[]) => readFileSync(join(folder, ...path), 'utf8')
  const pair = (use: string) => ({ certificate: read(name, `${use}.crt.pem`), key: read(name, `${use}.key.pem`) })
  return {
    name,
    organization,
    organizationName: organizations[organization] ?? 'Organizzazione sconosciuta',
    home: organizationHome(organization) ?? homeCommunityId(`urn:oid:2.16.840.1.113883.2.9.2.${Number(organization)}`),
    tls: pair('tls'),
    signing: pair('signing'),
    authority: read('ca.pem'),
  }
}
