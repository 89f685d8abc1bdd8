import { describe, expect, it } from 'vitest'
import {
  addressOf,
  claimsOf,
  type OperationName,
  operationNames,
  operations,
} from '../../../../adapters/ini/operations.ts'
import { iniOptions } from '../../../../adapters/ini/options.ts'

const base = 'https://ini.example:8443'
const at = (name: OperationName, paths = {}) => addressOf(name, { base, paths })
const registry = `${base}/FSEInteroperabilitaWeb/DocumentRegistry_Service`

describe('each operation of INI', () => {
  it.each([
    ['search', registry],
    ['metadata', registry],
    ['references', `${base}/FSEFindDocumentReferencesWeb/DocumentRegistry_Service`],
    ['create', registry],
    ['replace', registry],
    ['updateByRegister', registry],
    ['hideByRegister', registry],
    ['update', `${base}/FSEMetadataUpdateWeb/DocumentRegistry_Service`],
    ['hide', `${base}/FSEMetadataUpdateWeb/DocumentRegistry_Service`],
    ['delete', `${base}/FSEDeleteWeb/XDSDeletetWSService`],
    ['indexTransferSearch', `${base}/FSERegistryIndexTransferWeb/DocumentRegistry_Service`],
    ['indexTransferDelete', `${base}/FSERegistryIndexTransferWeb/XDSDeletetWSService`],
    ['consentQuery', `${base}/FSEConsensiWeb/CommunicationConsent_Service`],
    ['consentRegister', `${base}/FSEConsensiWeb/CommunicationConsent_Service`],
    ['organDonation', `${base}/FSEConsensiWeb/OrgansTissuesDonation_Service`],
  ] as const)('%s has its own address', (name, address) => {
    expect(at(name)).toBe(address)
  })

  it('is in the table above', () => expect(operationNames).toHaveLength(15))

  it.each([
    ['search', 'TREATMENT', {}, 'READ'],
    ['metadata', 'TREATMENT', { purposeOfUse: 'UPDATE' }, 'READ'],
    ['references', 'ACCESS UPDATE', { purposeOfUse: 'UPDATE' }, 'READ'],
    ['create', 'TREATMENT', { purposeOfUse: 'TREATMENT' }, 'CREATE'],
    ['replace', 'TREATMENT', { purposeOfUse: 'TREATMENT' }, 'UPDATE'],
    ['replace', 'ACCESS UPDATE', { purposeOfUse: 'UPDATE' }, 'UPDATE'],
    ['update', 'ACCESS UPDATE', { purposeOfUse: 'ACCESS UPDATE' }, 'UPDATE'],
    ['update', 'TREATMENT', { purposeOfUse: 'UPDATE' }, 'UPDATE'],
    ['hide', 'UPDATE', { purposeOfUse: 'ACCESS UPDATE' }, 'UPDATE'],
    ['delete', 'UPDATE', { purposeOfUse: 'UPDATE' }, 'DELETE'],
    ['indexTransferSearch', 'TREATMENT', { role: 'NOR', purposeOfUse: 'SYSADMIN' }, 'READ'],
    ['indexTransferDelete', 'TREATMENT', { role: 'NOR', purposeOfUse: 'SYSADMIN' }, 'DELETE'],
  ] as const)('%s for %s claims what is its own', (name, purposeOfUse, claims, action) => {
    expect(claimsOf(name, { purposeOfUse })).toEqual(claims)
    expect(operations[name].claims.action).toBe(action)
  })

  it('stands elsewhere where the environment has it so, with whatever shares its address', () => {
    const { paths } = iniOptions.parse({ base, paths: { create: '/test/registry', update: '/test/update' } })
    expect(at('create', paths)).toBe(`${base}/test/registry`)
    expect(at('replace', paths)).toBe(`${base}/test/registry`)
    expect(at('hide', paths)).toBe(`${base}/test/update`)
    expect(at('search', paths)).toBe(registry)
  })

  it('is called by a name that is known', () => {
    expect(iniOptions.safeParse({ base, paths: { serach: '/x' } }).success).toBe(false)
    expect(iniOptions.safeParse({ base, paths: { search: 'x' } }).success).toBe(false)
  })
})
