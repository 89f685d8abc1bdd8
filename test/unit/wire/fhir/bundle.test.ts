import { describe, expect, it } from 'vitest'
import type { GatewayError } from '../../../../src/core/errors.ts'
import { parseJson, readOutcome, readSearchPage } from '../../../../src/wire/fhir/bundle.ts'
import { fixture } from './samples.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const misbehaved = expect.objectContaining({ code: 'community-misbehaved' }) as GatewayError

describe('parseJson', () => {
  it('reads JSON, with a byte order mark too', () => {
    expect(parseJson(bytes('\uFEFF{"a":1}'))).toEqual({ a: 1 })
  })

  it.each(['', '<html/>', '{"a":1', '{"cf":"PRVCRC70A01D612G"'])('refuses %j', (text) => {
    expect(() => parseJson(bytes(text))).toThrow(misbehaved)
  })

  it('quotes nothing of what it cannot read', () => {
    try {
      parseJson(bytes('{"cf":"PRVCRC70A01D612G"'))
    } catch (error) {
      expect(JSON.stringify([String(error), (error as GatewayError).cause])).not.toContain('PRVCRC')
    }
    expect.assertions(1)
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseJson(Uint8Array.of(0x22, 0xe9, 0x22))).toThrow(misbehaved)
  })
})

describe('readSearchPage', () => {
  it('tells matches, what came along, warnings and the next page apart', () => {
    const page = readSearchPage(parseJson(fixture('searchset-two-documents')), 'DocumentReference')
    expect(page.matches.map(({ fullUrl }) => fullUrl)).toEqual([
      'https://record.example/fhir/DocumentReference/41',
      'https://record.example/fhir/DocumentReference/40',
    ])
    expect(page.included.map(({ resource }) => resource.resourceType)).toEqual(['Patient'])
    expect(page.issues).toEqual([
      { severity: 'warning', code: 'XDSRegistryError', text: 'One archive is being migrated' },
    ])
    expect(page.next).toBe('https://record.example/fhir?_getpages=7f4f2f5e&_page=2')
  })

  it('reads an empty answer', () => {
    const page = readSearchPage({ resourceType: 'Bundle', type: 'searchset', total: 0 }, 'Patient')
    expect(page).toEqual({ matches: [], included: [], issues: [] })
  })

  it('does not take an included resource for a match', () => {
    const entry = [{ resource: { resourceType: 'Patient' }, search: { mode: 'include' } }]
    expect(readSearchPage({ resourceType: 'Bundle', type: 'searchset', entry }, 'Patient').matches).toEqual([])
  })

  it.each([
    null,
    [],
    'Bundle',
    {},
    { resourceType: 'Bundle' },
    { resourceType: 'Bundle', type: 'history' },
    { resourceType: 'Patient', type: 'searchset' },
    { resourceType: 'Bundle', type: 'searchset', entry: {} },
    { resourceType: 'Bundle', type: 'searchset', entry: [null] },
    { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: 'text' }] },
    { resourceType: 'Bundle', type: 'searchset', link: [{ relation: 'next', url: 7 }] },
  ])('refuses %j', (value) => {
    expect(() => readSearchPage(value, 'Patient')).toThrow(misbehaved)
  })
})

describe('readOutcome', () => {
  const outcome = (...issue: unknown[]) => readOutcome({ resourceType: 'OperationOutcome', issue })

  it('keeps the XDS code a gateway put into the details', () => {
    const details = { coding: [{ code: 'XDSTooManyResults' }] }
    expect(outcome({ severity: 'error', code: 'processing', details, diagnostics: 'Too many' })).toEqual([
      { severity: 'error', code: 'XDSTooManyResults', text: 'Too many' },
    ])
  })

  it.each([
    ['too-costly', 'XDSTooManyResults'],
    ['throttled', 'XDSRegistryBusy'],
    ['required', 'XDSStoredQueryMissingParam'],
    ['not-supported', 'XDSUnknownStoredQuery'],
    ['not-found', 'XDSUnknownPatientId'],
    ['exception', 'XDSRegistryError'],
  ])('tells %s as %s', (code, xds) => {
    expect(outcome({ severity: 'fatal', code })).toEqual([{ severity: 'error', code: xds, text: `FHIR issue ${code}` }])
  })

  it('keeps the place, and of a text no more than is reasonable', () => {
    const [issue] = outcome({ severity: 'warning', diagnostics: 'x'.repeat(9000), location: ['/f:Bundle'] })
    expect(issue).toMatchObject({ severity: 'warning', location: '/f:Bundle' })
    expect(issue?.text).toHaveLength(1024)
  })

  it('refuses an outcome that is none', () => {
    expect(() => readOutcome({ issue: 'text' })).toThrow(misbehaved)
  })
})
