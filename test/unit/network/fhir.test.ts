import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { citizens } from '../../network/citizens.ts'
import { expectations } from '../../network/expectations.ts'
import { type HttpAnswer, readIdentity, send } from '../../network/soap-client.ts'
import { bearerToken } from '../../network/token.ts'
import { startTuscanRecord, type TuscanRecord } from '../../network/tuscan-record.ts'
import { certificates, gateway, patient, seed } from './asking.ts'

let record: TuscanRecord
let base: string
beforeAll(async () => {
  record = await startTuscanRecord({ certificates, seed })
  base = record.urls.fhir
})
afterAll(() => record.close())
beforeEach(async () => {
  await record.behave('normal')
  record.asked.clear()
})

interface Resource {
  readonly resourceType: string
  readonly id: string
  readonly [element: string]: unknown
}
interface Bundle {
  readonly total: number
  readonly link: readonly { readonly relation: string; readonly url: string }[]
  readonly entry: readonly { readonly resource: Resource; readonly search: { readonly mode: string } }[]
}

const token = (about: string, more: Partial<Parameters<typeof bearerToken>[0]> = {}) =>
  bearerToken({ audience: base, patient: about, ...more }, gateway.signer)

async function search(
  type: string,
  form: Record<string, string> | readonly [string, string][],
  about: string,
  authorization?: string,
) {
  return send(`${base}/${type}/_search`, gateway.channel, {
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: authorization ?? `Bearer ${await token(about)}`,
    },
    body: new URLSearchParams(form as Record<string, string>).toString(),
  })
}

const bundleOf = ({ text }: HttpAnswer): Bundle => JSON.parse(text) as Bundle
const asToken = (cx: string): string => cx.replace(/^(.*)\^\^\^&(.*)&ISO$/, 'urn:oid:$2|$1')
const documents = (about: string, more: Record<string, string> = {}) =>
  search(
    'DocumentReference',
    { 'patient.identifier': asToken(about), status: 'current', _count: '200', ...more },
    about,
  )
const uniqueIdOf = ({ masterIdentifier }: Resource): string => {
  const { system, value } = masterIdentifier as { system: string; value: string }
  return `${system.replace('urn:oid:', '')}^${value}`
}

describe('the Tuscan record, asked by ITI-67', () => {
  it('tells of the same documents as its registry', async () => {
    const answer = await documents(patient('lazio'))
    expect(answer.status).toBe(200)
    expect(answer.contentType).toBe('application/fhir+json')
    const { visible, hidden } = expectations(seed, citizens.lazio, { asked: ['tuscany'] })
    const bundle = bundleOf(answer)
    expect(bundle.entry.map(({ resource }) => uniqueIdOf(resource)).sort()).toEqual([...visible, ...hidden].sort())
    expect(bundle.total).toBe(bundle.entry.length)
  })

  it('gives the metadata where MHD wants them', async () => {
    const entry = seed.holdings.tuscany.entries.find(
      ({ references, status, patient: { value } }) =>
        references.length > 0 && status === 'Approved' && value === citizens.lazio.identifiers[0].value,
    )
    if (entry === undefined) throw new Error('The seed has no such document')
    const found = bundleOf(await documents(patient('lazio'), { identifier: `urn:ietf:rfc:3986|${entry.entryUuid}` }))
    expect(found.entry.length).toBe(1)
    expect(found.entry[0]?.resource).toMatchObject({
      resourceType: 'DocumentReference',
      identifier: [{ system: 'urn:ietf:rfc:3986', value: entry.entryUuid }],
      status: 'current',
      type: {
        coding: [
          { system: 'urn:oid:2.16.840.1.113883.6.1', code: entry.typeCode.code, display: entry.typeCode.display },
        ],
      },
      subject: { identifier: { system: 'urn:oid:2.16.840.1.113883.2.9.4.3.2', value: entry.patient.value } },
      securityLabel: [{ coding: [{ code: 'N' }] }],
      content: [
        {
          attachment: {
            contentType: entry.mimeType,
            size: entry.size,
            hash: Buffer.from(entry.hash, 'hex').toString('base64'),
            creation: `${entry.creationTime.slice(0, 4)}-${entry.creationTime.slice(4, 6)}-${entry.creationTime.slice(6, 8)}T${entry.creationTime.slice(8, 10)}:${entry.creationTime.slice(10, 12)}:${entry.creationTime.slice(12)}Z`,
            url: expect.stringContaining(`repositoryUniqueId=${entry.repositoryUniqueId}`),
          },
        },
      ],
      context: { related: [{ identifier: { system: 'urn:oid:2.16.840.1.113883.2.9.4.3.8' } }] },
    })
  })

  it('pages by addresses that name nobody, each fetched with a token of its own', async () => {
    const about = patient('tuscan')
    const ids = new Set<string>()
    let answer = await documents(about, { _count: '60' })
    let pages = 1
    for (;;) {
      const bundle = bundleOf(answer)
      for (const { resource } of bundle.entry) ids.add(uniqueIdOf(resource))
      const next = bundle.link.find(({ relation }) => relation === 'next')?.url
      if (next === undefined) break
      expect(next.startsWith(`${base}/`)).toBe(true)
      expect(next).not.toContain(citizens.tuscan.identifiers[0].value)
      pages++
      answer = await send(next, gateway.channel, {
        method: 'GET',
        headers: { authorization: `Bearer ${await token(about)}` },
      })
    }
    const { visible, hidden } = expectations(seed, citizens.tuscan, { asked: ['tuscany'] })
    expect([...ids].sort()).toEqual([...visible, ...hidden].sort())
    expect(pages).toBe(Math.ceil(ids.size / 60))
  })

  it('searches by codes, times, authors, references and status as FHIR does', async () => {
    const about = patient('tuscan')
    const all = seed.holdings.tuscany.entries.filter(
      (entry) => entry.patient.value === citizens.tuscan.identifiers[0].value,
    )
    const current = all.filter(({ status }) => status === 'Approved')
    const total = async (more: Record<string, string>) => bundleOf(await documents(about, more)).total
    const laboratory = current.filter(({ typeCode }) => typeCode.code === '11502-2').length
    expect(await total({ type: 'urn:oid:2.16.840.1.113883.6.1|11502-2' })).toBe(laboratory)
    expect(await total({ type: 'http://loinc.org|11502-2' })).toBe(laboratory)
    expect(await total({ type: '11502-2,68604-8' })).toBe(
      current.filter(({ typeCode }) => ['11502-2', '68604-8'].includes(typeCode.code)).length,
    )
    expect(await total({ event: 'urn:oid:2.16.840.1.113883.2.9.3.3.6.1.3|P99' })).toBe(4)
    expect(await total({ status: 'superseded' })).toBe(all.length - current.length)
    expect(await total({ status: 'current,superseded' })).toBe(all.length)
    expect(await total({ creation: 'ge2024-01-01' })).toBe(
      current.filter(({ creationTime }) => creationTime >= '2024').length,
    )
    expect(await total({ creation: 'lt2016' })).toBe(current.filter(({ creationTime }) => creationTime < '2016').length)
    expect(await total({ period: 'ge2020-05-05T10:00:00Z' })).toBe(
      current.filter(({ serviceStopTime }) => serviceStopTime >= '20200505100000').length,
    )
    const neri = current.filter(({ author }) => author.name?.family === 'Neri').length
    expect(neri).toBeGreaterThan(0)
    expect(await total({ 'author.family': 'neri' })).toBe(neri)
    const cited = current.find(({ references }) => references.length > 0)?.references[0]?.split('^')[0]
    expect(await total({ 'related:identifier': `urn:oid:2.16.840.1.113883.2.9.4.3.8|${cited}` })).toBeGreaterThan(0)
    expect(await total({ category: 'nothing' })).toBe(0)
  })

  it('says which document replaces which', async () => {
    const about = patient('lazio')
    const replacing = bundleOf(await documents(about))
      .entry.map(({ resource }) => resource.relatesTo)
      .filter((relation) => relation !== undefined)
    expect(replacing.length).toBe(2)
    expect(replacing[0]).toMatchObject([{ code: 'replaces', target: { identifier: { system: 'urn:ietf:rfc:3986' } } }])
  })
})

describe('the Tuscan record, asked by ITI-78', () => {
  const person = (about: string) => search('Patient', { identifier: asToken(about) }, about)

  it('tells of all identifiers of a person, those out of use marked, and of who assists them', async () => {
    for (const which of [0, 1]) {
      const bundle = bundleOf(await person(patient('two-codes', which)))
      expect(bundle.entry.map(({ resource }) => resource)).toMatchObject([
        {
          resourceType: 'Patient',
          identifier: [
            { use: 'official', value: citizens['two-codes'].identifiers[0].value },
            { use: 'old', value: citizens['two-codes'].identifiers[1]?.value },
          ],
          managingOrganization: { identifier: { system: 'urn:oid:2.16.840.1.113883.2.9.2', value: '090' } },
        },
      ])
    }
  })

  it('names the other region for those assisted elsewhere, none for those without, and nobody it does not know', async () => {
    const managed = async (about: string) => bundleOf(await person(about)).entry[0]?.resource.managingOrganization
    expect(await managed(patient('lazio'))).toMatchObject({ identifier: { value: '120' } })
    expect(await managed(patient('none'))).toBeUndefined()
    expect(await managed(patient('stp'))).toBeUndefined()
    expect(bundleOf(await person(patient('unknown'))).total).toBe(0)
  })
})

describe('the FHIR face refuses', () => {
  const about = patient('lazio')
  const form = { 'patient.identifier': asToken(about), status: 'current' }
  const statusWith = async (more: Parameters<typeof token>[1], signer = gateway.signer) =>
    (
      await search(
        'DocumentReference',
        form,
        about,
        `Bearer ${await bearerToken({ audience: base, patient: about, ...more }, signer)}`,
      )
    ).status

  it('a request without a token, with a repeated, an expired or a foreign one', async () => {
    expect((await search('DocumentReference', form, about, '')).status).toBe(401)
    const one = `Bearer ${await token(about)}`
    expect((await search('DocumentReference', form, about, one)).status).toBe(200)
    expect((await search('DocumentReference', form, about, one)).status).toBe(401)
    expect(await statusWith({ now: Date.now() - 3_600_000 })).toBe(401)
    expect(await statusWith({ audience: 'https://elsewhere.example/fhir' })).toBe(401)
    expect(await statusWith({ claims: { iss: 'auth:S1#050#050REGIONEVENETO-DEV' } })).toBe(401)
    expect(await statusWith({ claims: { jti: undefined } })).toBe(401)
    for (const party of ['portal', 'region-050', 'bad/unknown-ca', 'bad/expired', 'bad/wrong-eku']) {
      expect(await statusWith({}, (await readIdentity(certificates, party)).signer)).toBe(401)
    }
  })

  it('a token signed by another key than its certificate’s', async () => {
    const { signer } = await readIdentity(certificates, 'region-050')
    expect(await statusWith({}, { certificate: gateway.signer.certificate, key: signer.key })).toBe(401)
  })

  it.each(['sub', 'subject_role', 'purpose_of_use', 'action_id', 'subject_organization_id', 'person_id'])(
    'a token without %s',
    async (claim) => {
      expect([401, 403]).toContain(await statusWith({ claims: { [claim]: undefined } }))
    },
  )

  it('a token about another patient', async () => {
    expect(await statusWith({ patient: patient('tuscan') })).toBe(403)
  })

  it('searches it cannot answer, with an OperationOutcome', async () => {
    const refused = async (given: Record<string, string> | [string, string][], type = 'DocumentReference') => {
      const answer = await search(type, given, about)
      expect(JSON.parse(answer.text)).toMatchObject({
        resourceType: 'OperationOutcome',
        issue: [{ severity: 'error' }],
      })
      return answer.status
    }
    expect(await refused({ status: 'current' })).toBe(400)
    expect(await refused({ 'patient.identifier': asToken(about) })).toBe(400)
    expect(await refused({ ...form, colour: 'red' })).toBe(400)
    expect(await refused({ ...form, creation: 'ge-yesterday' })).toBe(400)
    expect(await refused({ ...form, _count: 'many' })).toBe(400)
    expect(await refused({ 'patient.identifier': citizens.lazio.identifiers[0].value, status: 'current' })).toBe(400)
    expect(await refused(form, 'Observation')).toBe(404)
  })

  it('everybody but the gateway', async () => {
    const { channel } = await readIdentity(certificates, 'portal')
    expect((await send(`${base}/DocumentReference`, channel, { method: 'GET' })).status).toBe(403)
  })
})

describe('the FHIR face misbehaves when told to', () => {
  const about = patient('lazio')

  it('about another patient, with nothing, with an odd document, and in part', async () => {
    const good = bundleOf(await documents(about))
    await record.behave('wrong-patient')
    const wrong = await documents(about)
    expect(wrong.text).not.toContain(`"subject":{"reference"`)
    expect(bundleOf(wrong).entry[0]?.resource.subject).toMatchObject({
      identifier: { value: expect.stringMatching(/^STRNNN/) },
    })
    await record.behave('empty')
    expect(bundleOf(await documents(about)).total).toBe(0)
    await record.behave('odd-entry')
    const odd = bundleOf(await documents(about)).entry
    expect(odd.length).toBe(good.entry.length + 1)
    expect(odd.filter(({ resource }) => resource.masterIdentifier === undefined).length).toBe(1)
    await record.behave('partial')
    const partial = bundleOf(await documents(about)).entry
    expect(partial.filter(({ search: { mode } }) => mode === 'match').length).toBe(good.entry.length)
    expect(partial.at(-1)).toMatchObject({
      resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] },
    })
  })

  it('by refusing and by failing', async () => {
    await record.behave('refuse')
    expect((await documents(about)).status).toBe(403)
    await record.behave('fault')
    expect((await documents(about)).status).toBe(500)
  })

  it('on one face alone', async () => {
    await record.behave({ behave: 'refuse', face: 'xds' })
    expect((await documents(about)).status).toBe(200)
  })
})
