import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { z } from 'zod'
import type { federation } from '../../src/config/federation.ts'

export type FederationInput = z.input<typeof federation>
type CommunityInput = FederationInput['communities'][number]
type TrustInput = CommunityInput['trust']

/** What differs for a community. Of its trust, what is not named stays as it is. */
export type CommunityChanges = Omit<Partial<CommunityInput>, 'trust'> & {
  readonly trust?: { readonly [Part in keyof TrustInput]?: Partial<TrustInput[Part]> }
}

/** Where the development identities are. */
export const certificates = resolve(import.meta.dirname, '../../certs-dev/out')

const path = (...names: string[]) => join(certificates, ...names)

/** Organization codes of the development parties. */
export const partyCodes = {
  tuscany: '090',
  ini: '000',
  'region-050': '050',
  'region-120': '120',
  'region-150': '150',
} as const

export type PartyName = keyof typeof partyCodes

export function homeOf(party: PartyName): string {
  return `urn:oid:2.16.840.1.113883.2.9.2.${Number(partyCodes[party])}`
}

/** A community of the development federation that may call the gateway and be called by it. */
export function communityInput(
  name: PartyName,
  adapter: string,
  options: unknown,
  { trust: changes = {}, ...more }: CommunityChanges = {},
): CommunityInput {
  const code = partyCodes[name]
  const calls = name !== 'tuscany'
  const trust: TrustInput = {
    tls: [path('ca.pem')],
    ...(calls ? { callers: { anchors: [path('ca.pem')], names: [`^A[0-9]+#${code}#`] } } : {}),
    ...(calls
      ? { assertions: { issuers: [code], anchors: [path('signing-ca.pem')], signers: [`^S[0-9]+#${code}#`] } }
      : {}),
  }
  return { home: homeOf(name), name, adapter, options, trust: changed(trust, changes), ...more }
}

function changed(trust: TrustInput, changes: NonNullable<CommunityChanges['trust']>): TrustInput {
  const parts = Object.entries(changes).map(([part, change]) => {
    const usual = trust[part as keyof TrustInput]
    return [part, Array.isArray(change) ? change : { ...usual, ...change }]
  })
  return { ...trust, ...(Object.fromEntries(parts) as Partial<TrustInput>) }
}

/** Systems inside our own affinity domain: the Tuscan consumers' own, and the portal. */
const consumers: NonNullable<FederationInput['consumers']> = (
  [
    ['consumers', 'REGIONETOSCANA'],
    ['portal', 'PORTALE'],
  ] as const
).map(([name, system]) => ({
  name,
  trust: {
    callers: { anchors: [path('ca.pem')], names: [`^A[0-9]+#090#090${system}-DEV$`] },
    assertions: { issuers: ['090'], anchors: [path('signing-ca.pem')], signers: [`^S[0-9]+#090#090${system}-DEV$`] },
  },
}))

/** The configuration of a gateway between development parties, ports chosen by the system unless given. */
export function gatewayInput(
  communities: readonly CommunityInput[],
  store: string,
  gateway: Partial<FederationInput['gateway']> = {},
): FederationInput {
  return {
    gateway: {
      home: homeOf('tuscany'),
      organization: { code: '090', name: 'Regione Toscana' },
      listen: { port: 0 },
      operator: { port: 0 },
      identity: {
        tls: { certificate: path('gateway', 'tls.crt.pem'), key: path('gateway', 'tls.key.pem') },
        signing: { certificate: path('gateway', 'signing.crt.pem'), key: path('gateway', 'signing.key.pem') },
      },
      application: { id: 'CROCEVIA', vendor: 'Regione Toscana', version: '0.1' },
      store: { path: store },
      logLevel: 'silent',
      ...gateway,
    },
    communities: [...communities],
    consumers,
  }
}

/** Writes a configuration beside its store, in a new temporary folder. */
export async function writeGatewayConfig(
  communities: readonly CommunityInput[],
  gateway: Partial<FederationInput['gateway']> = {},
): Promise<{ readonly folder: string; readonly file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'crocevia-'))
  const file = join(folder, 'gateway.json')
  await writeFile(file, JSON.stringify(gatewayInput(communities, join(folder, 'store.sqlite'), gateway), undefined, 2))
  return { folder, file }
}
