import { describe, expect, it } from 'vitest'
import { type FhirSearch, searchFhir } from '../../../../adapters/tuscany/fhir-search.ts'
import { baseUrl, call, citizen, outcome, type Reply, record, searchset } from './record.ts'

const search = (more: Partial<FhirSearch> = {}): FhirSearch => ({
  resourceType: 'DocumentReference',
  form: [['patient.identifier', 'urn:oid:2.16.840.1.113883.2.9.4.3.2|PRVCRC70A01D612G']],
  call: call(),
  patientId: citizen,
  ...more,
})

const documents = (...ids: readonly string[]) => ids.map((id) => ({ resourceType: 'DocumentReference', id }))
const next = (url: string) => ({ link: [{ relation: 'next', url }] })
const ids = async (replies: readonly Reply[], base = baseUrl) => {
  const { matches } = await searchFhir(base, record(...replies).tools, search())
  return matches.map(({ resource }) => resource.id)
}

describe('searchFhir', () => {
  it('posts who and what in the body, and vouches for the caller', async () => {
    const { tools, sent } = record(searchset([]))
    const { signal } = new AbortController()
    await searchFhir(baseUrl, tools, search({ call: call({ signal }) }))
    expect(sent).toEqual([
      {
        url: 'https://record.example/fhir/DocumentReference/_search',
        method: 'POST',
        headers: {
          accept: 'application/fhir+json',
          authorization: 'Bearer jwt 1 for https://record.example/fhir about PRVCRC70A01D612G',
          'content-type': 'application/x-www-form-urlencoded',
          'x-correlation-id': '4f0d',
        },
        form: [
          ['patient.identifier', 'urn:oid:2.16.840.1.113883.2.9.4.3.2|PRVCRC70A01D612G'],
          ['_count', '250'],
        ],
        signal,
      },
    ])
  })

  it('follows the pages, each with a token of its own', async () => {
    const { tools, sent } = record(
      searchset(documents('1'), next('https://record.example/fhir?_getpages=7&_page=2')),
      searchset(documents('2'), next('DocumentReference?page=3')),
      searchset(documents('3')),
    )
    const { matches } = await searchFhir(baseUrl, tools, search())
    expect(matches.map(({ resource }) => resource.id)).toEqual(['1', '2', '3'])
    expect(sent.slice(1).map(({ method, url }) => [method, url])).toEqual([
      ['GET', 'https://record.example/fhir?_getpages=7&_page=2'],
      ['GET', 'https://record.example/fhir/DocumentReference?page=3'],
    ])
    expect(new Set(sent.map(({ headers }) => headers.authorization)).size).toBe(3)
  })

  it('counts a document that moved to the next page once', async () => {
    const first = searchset(documents('1', '2'), next('DocumentReference?page=2'))
    expect(await ids([first, searchset(documents('2', '3'))])).toEqual(['1', '2', '3'])
  })

  it('takes the same base address with a slash at its end', async () => {
    const first = searchset(documents('1'), next(`${baseUrl}/DocumentReference?page=2`))
    expect(await ids([first, searchset(documents('2'))], `${baseUrl}/`)).toEqual(['1', '2'])
  })

  it('posts the next page when its address repeats who is asked about', async () => {
    const link = `${baseUrl}/DocumentReference?patient.identifier=urn%3Aoid%3A1.2%7CPRVCRC70A01D612G&_offset=20`
    const { tools, sent } = record(searchset(documents('1'), next(link)), searchset(documents('2')))
    await searchFhir(baseUrl, tools, search())
    expect(sent[1]).toMatchObject({
      method: 'POST',
      url: 'https://record.example/fhir/DocumentReference/_search',
      form: [
        ['patient.identifier', 'urn:oid:1.2|PRVCRC70A01D612G'],
        ['_offset', '20'],
      ],
    })
  })

  it.each([
    ['another host', 'https://elsewhere.example/fhir?page=2'],
    ['another port', 'https://record.example:8443/fhir?page=2'],
    ['another scheme', 'http://record.example/fhir?page=2'],
    ['another path', 'https://record.example/admin?page=2'],
    ['a path that only begins alike', 'https://record.example/fhirplace?page=2'],
    ['a path that climbs out', 'https://record.example/fhir/../admin?page=2'],
    ['a path that climbs out in disguise', 'https://record.example/fhir/%2e%2e/admin?page=2'],
    ['credentials', 'https://me:you@record.example/fhir?page=2'],
    ['no address', 'https://'],
    ['an address that names the patient', 'https://record.example/fhir/page?of=PRVCRC70A01D612G'],
  ])('does not follow a next page with %s', async (_, url) => {
    const { tools, sent } = record(searchset(documents('1'), next(url)))
    await expect(searchFhir(baseUrl, tools, search())).rejects.toMatchObject({ code: 'community-misbehaved' })
    expect(sent).toHaveLength(1)
  })

  it('does not go round in circles', async () => {
    const again = searchset(documents('1'), next('DocumentReference?page=2'))
    await expect(ids([again, again])).rejects.toMatchObject({ code: 'community-misbehaved' })
  })

  it('gives up on pages without end', async () => {
    const pages = Array.from({ length: 60 }, (_, page) => searchset([], next(`DocumentReference?page=${page}`)))
    const { tools, sent } = record(...pages)
    await expect(searchFhir(baseUrl, tools, search())).rejects.toMatchObject({ code: 'too-many-results' })
    expect(sent).toHaveLength(50)
  })

  it('gives up on more resources than it takes', async () => {
    const many = documents(...Array.from({ length: 5_001 }, (_, index) => String(index)))
    await expect(ids([searchset(many)])).rejects.toMatchObject({ code: 'too-many-results' })
  })

  it.each([
    [400, 'invalid', 'community-rejected'],
    [401, 'login', 'community-rejected'],
    [403, 'forbidden', 'community-rejected'],
    [404, 'not-found', 'patient-unknown'],
    [404, 'processing', 'community-rejected'],
    [422, 'processing', 'community-rejected'],
    [429, 'throttled', 'community-busy'],
    [500, 'exception', 'community-unavailable'],
    [502, 'transient', 'community-unavailable'],
    [503, 'throttled', 'community-busy'],
    [204, 'informational', 'community-misbehaved'],
  ])('tells a %i (%s) as %s, with what the record said', async (status, code, expected) => {
    await expect(ids([outcome(status, code)])).rejects.toMatchObject({
      code: expected,
      details: { status },
      issues: [{ severity: 'error', text: 'As told' }],
    })
  })

  it('does not take an address that does not exist for a citizen nobody knows', async () => {
    await expect(ids([{ status: 404, body: '<h1>Not Found</h1>' }])).rejects.toMatchObject({
      code: 'community-rejected',
      issues: [],
    })
  })

  it('does not say that a patient is unknown when none was asked about', async () => {
    const { patientId: _, ...anybody } = search()
    const asking = searchFhir(baseUrl, record(outcome(404, 'not-found')).tools, anybody)
    await expect(asking).rejects.toMatchObject({ code: 'community-rejected' })
  })

  it.each(['', '<Bundle/>', '[]', '{"resourceType":"Bundle","type":"batch"}'])(
    'refuses the answer %j',
    async (body) => {
      await expect(ids([{ body }])).rejects.toMatchObject({ code: 'community-misbehaved' })
    },
  )
})
