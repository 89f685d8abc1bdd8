import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { attributeAssertion, identificationAssertion, type Signer } from '../network/assertion.ts'
import { type CitizenKey, citizens } from '../network/citizens.ts'
import { reasonsSince, told } from '../support/told.ts'
import {
  between,
  type Knock,
  pathOf,
  policyFault,
  seed,
  signerIn,
  startTrustGateway,
  type TrustGateway,
} from '../support/trust-gateway.ts'
import { findDocuments, patient, uniqueIds } from '../unit/network/asking.ts'

vi.mock('../../src/telemetry/log.ts', async (original) => {
  const { telling } = await import('../support/told.ts')
  return telling(await original<typeof import('../../src/telemetry/log.ts')>())
})

const identification = { anchors: [pathOf('signing-ca.pem')], signers: ['^S[0-9]+#000#'] }

let door: TrustGateway
beforeAll(async () => {
  door = await startTrustGateway({ asksAlways: true, communities: { ini: { trust: { identification } } } })
})
afterAll(() => door[Symbol.asyncDispose]())
beforeEach(async () => {
  // The index that could tell other codes of a person fails: what is known of them comes from INI.
  await door.record.behave({ behave: 'fault', face: 'fhir' })
  door.record.asked.clear()
})

const old = patient('two-codes', 1)
const current = patient('two-codes', 0)
const ini = signerIn('ini')

/** INI hands on the assertion of region 050 about the citizen under an old code, and beside it what ANA knows. */
const attribute = (about = old) =>
  attributeAssertion({ patient: about, issuer: '050', documentTypes: [] as string[], attributes: allTypes }, signer050)
const signer050 = signerIn('region-050')
/** Every type there is in the record. */
const types = [
  ...new Set(seed.holdings.tuscany.entries.map(({ typeCode }) => `'${typeCode.code}^^${typeCode.scheme}'`)),
]
const allTypes = { 'urn:oasis:names:tc:xspa:1.0:resource:hl7:type': `(${types.join(',')})` }

const known = (key: CitizenKey = 'two-codes', by: Signer = ini, change?: (xml: string) => string) =>
  identificationAssertion(citizens[key], by, Date.now(), change)

const asIni = (more: Partial<Knock> = {}): Knock => ({
  as: 'ini',
  about: old,
  assertions: [attribute(), known()],
  ...more,
})

/** Whom the record was asked about, by XDS.b. */
function patientsAsked(): string[] {
  const bodies = door.record.asked.last.filter(({ face }) => face === 'xds').map(({ body }) => body)
  return citizens['two-codes'].identifiers
    .map(({ value }) => value)
    .filter((code) => bodies.some((body) => body.includes(`'${code}^`)))
}

/** Documents of the citizen that stand in the record under codes of theirs and are not obscured. */
function filedUnder(...codes: readonly string[]): string[] {
  return seed.holdings.tuscany.entries
    .filter(
      ({ patient: { value }, status }) => codes.some((code) => code.startsWith(`${value}^`)) && status === 'Approved',
    )
    .map(({ uniqueId }) => uniqueId)
    .sort()
}

describe('INI’s word on who a citizen is', () => {
  it('has our own record asked under every code the citizen has had', async () => {
    const answer = await door.knock(asIni())
    expect(answer.status).toBe('Success')
    expect(patientsAsked()).toEqual(citizens['two-codes'].identifiers.map(({ value }) => value))
    expect(uniqueIds(answer)).toEqual(filedUnder(old, current))
    expect(filedUnder(old, current).length).toBeGreaterThan(filedUnder(old).length)
  })

  it('is all there is of it: without it only the code asked about is known', async () => {
    const answer = await door.knock(asIni({ assertions: [attribute()] }))
    expect(answer.status).toBe('Success')
    expect(patientsAsked()).toEqual([old.split('^')[0]])
    expect(uniqueIds(answer)).toEqual(filedUnder(old))
  })

  it('may stand before the attribute assertion', async () => {
    expect(uniqueIds(await door.knock(asIni({ assertions: [known(), attribute()] })))).toEqual(filedUnder(old, current))
  })

  it('lets a query name any of the codes the assertion’s patient has', async () => {
    const answer = await door.knock(asIni({ body: findDocuments(current) }))
    expect(uniqueIds(answer)).toEqual(filedUnder(old, current))
    const unknown = await between(
      () => door.knock(asIni()),
      () => door.knock(asIni({ assertions: [attribute()], body: findDocuments(current) })),
    )
    expect(policyFault(unknown).code).toBe('PFC9')
  })

  it('is taken with the misspelt namespace that one region’s code has', async () => {
    const misspelt = (xml: string) => xml.replace('XMLSchema-instance', 'XMLSchema-istance')
    const answer = await door.knock(asIni({ assertions: [attribute(), known('two-codes', ini, misspelt)] }))
    expect(uniqueIds(answer)).toEqual(filedUnder(old, current))
  })
})

/** The sound message, refused for one thing that is wrong with it. */
async function refused(assertions: () => readonly string[], more: Partial<Knock> = {}) {
  const place = told.length
  const answer = await between(
    () => door.knock(asIni()),
    async () => {
      door.record.asked.clear()
      const given = await door.knock(asIni({ ...more, assertions: assertions() }))
      expect(door.record.asked.total).toBe(0)
      return given
    },
  )
  const [reason] = reasonsSince(place)
  return { answer, reason, ...policyFault(answer) }
}

describe('an identification that does not fit', () => {
  it('is refused when it is about another citizen than the assertion: PFC9', async () => {
    const { answer, code, element, reason } = await refused(() => [attribute(), known('renamed')])
    expect(reason).toBe('coherence identification-is-about-another-patient')
    expect({ code, element }).toEqual({ code: 'PFC9', element: 'InvalidSecurityToken' })
    expect(answer.http.status).toBe(500)
  })

  it('does not lend another citizen’s codes by naming the own one beside them in another place', async () => {
    const victim = citizens.renamed.identifiers[0].value
    const inSubject = (xml: string) =>
      xml
        .replace(/(<saml2:NameID>)[^<]+/, `$1${old.replaceAll('&', '&amp;')}`)
        .replaceAll(/>[A-Z0-9]{16}<\/ident:CF>/g, `>${victim}</ident:CF>`)
    expect(await refused(() => [attribute(), known('two-codes', ini, inSubject)])).toMatchObject({ code: 'PFC9' })
  })

  it.each([
    ['by a region', () => signerIn('region-050'), 'certificate certificate-belongs-to-somebody-else'],
    ['by us', () => signerIn('gateway'), 'certificate certificate-belongs-to-somebody-else'],
    ['by a root that bears the right name', () => signerIn('bad/unknown-ca'), undefined],
    ['by nobody’s authority', () => signerIn('bad/self-signed'), undefined],
  ])('is refused when it is signed %s: PFC3', async (_, by, why) => {
    const { code, reason } = await refused(() => [attribute(), known('two-codes', by())])
    expect(code).toBe('PFC3')
    expect(reason).toBe(why ?? 'certificate certificate-not-issued-by-an-anchor-of-the-issuer')
  })

  it('is refused when it was changed after it was signed', async () => {
    const victim = citizens.renamed.identifiers[0].value
    const changed = () => known().replace(/>[A-Z0-9]{16}<\/ident:CF>/, `>${victim}</ident:CF>`)
    expect(await refused(() => [attribute(), changed()])).toMatchObject({ reason: 'signature digest-differs' })
  })

  it('is refused when it has expired', async () => {
    const past = () => identificationAssertion(citizens['two-codes'], ini, Date.now() - 3_600_000)
    expect(await refused(() => [attribute(), past()])).toMatchObject({ reason: 'validity expired' })
  })

  it('is refused without a single code: PIT2', async () => {
    const none = (xml: string) => xml.replace(/<saml2:Attribute Name="CF_List">.*?<\/saml2:Attribute>/, '')
    const { code } = await refused(() => [attribute(), known('two-codes', ini, none)])
    expect(code).toBe('PIT2')
  })

  it.each([
    ['alone', () => [known()], 'PST4', 'missing no-assertion'],
    ['twice', () => [attribute(), known(), known()], 'PST5', 'header several-assertions'],
    ['beside two attribute assertions', () => [attribute(), attribute(), known()], 'PST5', 'header several-assertions'],
  ])('is refused %s', async (_, assertions, expected, why) => {
    const { code, element, reason } = await refused(assertions)
    expect({ code, element, reason }).toEqual({ code: expected, element: 'SecurityTokenUnavailable', reason: why })
  })

  it('is nothing that anybody but INI may bring', async () => {
    const control = () => door.knock({ about: old })
    const bringing = (by: Signer) => () => door.knock({ about: old, assertions: [attribute(), known('two-codes', by)] })
    for (const by of [ini, signer050]) {
      const { fault, documents } = await between(control, bringing(by))
      expect(fault).toMatchObject({ code: 'Sender', subcodes: ['wsse:InvalidSecurity'] })
      expect(documents).toEqual([])
    }
  })

  it('is nothing that INI may bring where the configuration does not say so', async () => {
    await using plain = await startTrustGateway({ record: door.record })
    const { code } = policyFault(
      await between(
        () => plain.knock(asIni({ assertions: [attribute()] })),
        () => plain.knock(asIni()),
      ),
    )
    expect(code).toBe('PST5')
  })
})
