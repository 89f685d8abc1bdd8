import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SistemaTs } from '../network/sistema-ts.ts'
import { sarAction } from '../network/sistema-ts-services.ts'
import { certificates, type FederationInput } from './gateway-config.ts'

type CommunityInput = FederationInput['communities'][number]

/** What differs for the community of Sistema TS. */
export type SistemaTsChanges = Partial<Omit<CommunityInput, 'options'>> & {
  readonly options?: Readonly<Record<string, unknown>>
  /** What the gateway's files hold instead of what is right. */
  readonly secrets?: Partial<Record<'user' | 'password' | 'pinCode', string>>
  readonly authnContext?: 'a2f26' | 'forte25'
}

/** The community's entry in the gateway's configuration, and the folder of its secrets, which disposal removes. */
export async function sistemaTsInput(
  { account, certificate, urls }: Pick<SistemaTs, 'account' | 'certificate' | 'urls'>,
  as: 'region' | 'user',
  { options = {}, secrets = {}, authnContext = 'a2f26', ...changes }: SistemaTsChanges = {},
): Promise<AsyncDisposable & { readonly community: CommunityInput }> {
  const folder = await mkdtemp(join(tmpdir(), 'crocevia-ts-'))
  const file = async (name: string, text: string) => {
    const path = join(folder, name)
    await writeFile(path, `${text}\n`)
    return path
  }
  const [user, password, pinCode, fiscalCode, sanitel] = await Promise.all([
    file('user', secrets.user ?? account.user),
    file('password', secrets.password ?? account.password),
    file('pin-code', secrets.pinCode ?? account.pinCode),
    file('fiscal-code', account.fiscalCode),
    file('SanitelCF.pem', certificate),
  ])
  const common = { certificates: [sanitel], pinCode }
  const session = { create: urls.sessions, codiceFiscale: fiscalCode, application: 'EROGATORE' } as const
  const sistemaTs: CommunityInput['sistemaTs'] =
    as === 'region'
      ? { as, ...common, authnContext, mode: 'SpidL2', locality: '090202' }
      : { as, ...common, basic: { user, password }, session }
  const community: CommunityInput = {
    home: 'urn:oid:2.16.840.1.113883.2.9.2.970',
    name: 'sistema-ts',
    adapter: 'sistema-ts',
    options: {
      list: 'elencoRicette',
      host: urls.host,
      dispenser: { region: '090', localAuthority: '202', facility: '012345' },
      sar: { url: urls.sar, action: sarAction },
      citizens: { url: urls.citizens, region: '090' },
      ...options,
    },
    trust: { tls: [join(certificates, 'ca.pem')] },
    sistemaTs,
    ...changes,
  }
  return { community, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
