import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CliError } from '../../../src/cli/exit.ts'
import { ini } from '../../../src/cli/ini.ts'
import { type AskerValues, type Asking, callOf } from '../../../src/cli/ini-call.ts'
import { configPathOf } from '../../../src/cli/ini-endpoint.ts'
import { citizen, homes } from '../../support/builders.ts'

const patient = citizen.value

const asking = (claims: ReturnType<Asking['claims']> = {}): Asking => ({
  operation: 'search',
  patientId: citizen,
  gateway: {
    home: homes.tuscany,
    organization: { code: '090', name: 'Regione Toscana' },
    application: { id: 'A', vendor: 'B', version: '1' },
  },
  claims: () => claims,
  held: new AsyncDisposableStack(),
  timeoutMs: 1_000,
})

const claimsFor = (values: Partial<AskerValues>, own?: ReturnType<Asking['claims']>) => {
  const { role, purposeOfUse } = callOf({ 'in-care': false, ...values }, asking(own)).assertion
  return [role, purposeOfUse]
}

describe('who asks for an operation of INI', () => {
  it.each([
    [{}, {}, ['AAS', 'TREATMENT']],
    [{ role: 'ASS' }, {}, ['ASS', 'PERSONAL']],
    [{ role: 'APR', purpose: 'EMERGENCY' }, {}, ['APR', 'EMERGENCY']],
    [{}, { role: 'NOR', purposes: ['SYSADMIN'] }, ['NOR', 'SYSADMIN']],
    [{ role: 'NOR', purpose: 'SYSADMIN' }, { role: 'NOR', purposes: ['SYSADMIN'] }, ['NOR', 'SYSADMIN']],
    [{ purpose: 'ACCESS UPDATE' }, { purposes: ['UPDATE', 'ACCESS UPDATE'] }, ['AAS', 'ACCESS UPDATE']],
    [{}, { purposes: ['UPDATE', 'ACCESS UPDATE'] }, ['AAS', 'UPDATE']],
  ])('with %j, of an operation that has %j by itself, claims %j', (values, own, expected) => {
    expect(claimsFor(values, own)).toEqual(expected)
  })

  it.each([
    [{ role: 'AAS' }, { role: 'NOR' }, /role NOR/],
    [{ purpose: 'TREATMENT' }, { purposes: ['UPDATE', 'ACCESS UPDATE'] }, /UPDATE or ACCESS UPDATE/],
  ])('cannot claim %j where the operation has %j by itself', (values, own, message) => {
    expect(() => claimsFor(values, own)).toThrow(message)
  })

  it('is the patient in the role of one, else a professional, or whoever is named', () => {
    const subjectOf = (values: Partial<AskerValues>) =>
      callOf({ 'in-care': false, ...values }, asking()).assertion.subjectId
    expect(subjectOf({ role: 'ASS' })).toEqual(citizen)
    expect(subjectOf({})).not.toEqual(citizen)
    expect(subjectOf({ subject: patient })).toEqual(citizen)
  })
})

describe('crocevia ini', () => {
  it.each([
    ['no operation', [], /ini is followed by one of search/],
    ['an operation that is none', ['destroy'], /ini is followed by one of/],
    ['half an operation', ['consents'], /consents query/],
    ['a name that every object has', ['constructor'], /ini is followed by/],
    ['nobody', ['search'], /--patient/],
    ['an option that is none', ['search', '--password', 'x'], /--password/],
    [
      'a configuration that is not there',
      ['search', '--patient', patient, '--config', 'nothing.json'],
      /cannot be read/,
    ],
  ])('is used wrongly with %s', async (_what, args, message) => {
    const ended = ini(args)
    await expect(ended).rejects.toMatchObject({ exit: 'usage' } satisfies Partial<CliError>)
    await expect(ended).rejects.toThrow(message)
  })

  it('takes the configuration that is named, else that of the federation which runs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'crocevia-ini-'))
    try {
      const file = join(folder, 'federation.json')
      expect(() => configPathOf(undefined, file)).toThrow(/--config is needed/)
      await writeFile(file, JSON.stringify({ gateway: { config: '/a/gateway.json' }, communities: [] }))
      expect(configPathOf(undefined, file)).toBe('/a/gateway.json')
      expect(configPathOf('mine.json', file)).toBe('mine.json')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
