import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import adapter from '../../../adapters/sistema-ts/index.ts'
import { metadataRules } from '../../../contracts/affinity-domain/metadata-rules.ts'
import { organizationHome } from '../../../contracts/affinity-domain/organizations.ts'
import type { AdapterTools, SistemaTsTools } from '../../../src/config/adapter.ts'
import type { AuthorizedCall } from '../../../src/core/model/call.ts'
import { homeCommunityId } from '../../../src/core/model/identifiers.ts'
import type { DocumentEntry } from '../../../src/core/model/metadata.ts'
import { authorities, type PatientId } from '../../../src/core/model/patient.ts'
import type { DocumentFilter, StoredQuery } from '../../../src/core/model/stored-query.ts'
import { checkMetadata } from '../../../src/core/policy/metadata-rules.ts'
import type { Community } from '../../../src/core/ports.ts'
import { isAuthor } from '../../../src/wire/hl7/author.ts'
import { citizens } from '../../network/citizens.ts'
import {
  accepted,
  citizenListAnswer,
  listAnswer,
  refused,
  type TsRemark,
  viewAnswer,
} from '../../network/sistema-ts-answers.ts'
import { citizenAnswer } from '../../network/sistema-ts-citizens.ts'
import { state, type TsPrescription } from '../../network/sistema-ts-prescriptions.ts'
import { tsReply } from '../../network/sistema-ts-soap.ts'
import { authorized, submissionSet } from '../../support/builders.ts'

const home = homeCommunityId('urn:oid:2.16.840.1.113883.2.9.2.970')
const [{ value, authority }] = citizens.tuscan.identifiers
const patient = { value, authority: authorities.codiceFiscale } satisfies PatientId
const authorityOfOrders = '2.16.840.1.113883.2.9.4.3.8'

const prescription = (more: Partial<TsPrescription> = {}): TsPrescription => ({
  nre: '0900A4000000001',
  patient: { value, authority },
  name: 'CIPRESSI BIANCA',
  type: 'F',
  state: state.toBeDispensed,
  written: '2026-07-02 10:30:00',
  doctor: 'BLDSRA66E50X501Z',
  hidesName: false,
  lines: [{ code: '019655029', text: 'Bentelan*10 cpr eff 0,5 mg', quantity: 2, dispensed: false }],
  ...more,
})
const dispensed = prescription({
  nre: '0900A4000000002',
  type: 'P',
  state: state.dispensed,
  dispensedAt: '2026-07-09 09:00:00',
  lines: [{ code: '8902', text: 'Visita di controllo', quantity: 1, dispensed: true }],
})

interface Posted {
  readonly action: string
  readonly body: string
}

/** Sistema TS as far as the adapter sees it. */
function world(all: readonly TsPrescription[], answerTo: (posted: Posted) => string | undefined = () => undefined) {
  const posted: Posted[] = []
  const sistemaTs: SistemaTsTools = {
    as: 'region',
    pinCode: () => ({ ciphertext: 'cGlu' }),
    encrypt: (text) => ({ ciphertext: Buffer.from(text).toString('base64') }),
    async post({ action, body }) {
      posted.push({ action, body })
      const { status, headers = {}, body: reply } = tsReply(answerTo({ action, body }) ?? usual({ action, body }, all))
      return { status, headers, body: Buffer.from(reply) }
    },
  }
  const tools = {
    clock: { now: () => 0 },
    sistemaTs,
    mostAtOnce: 5,
    homeOf: organizationHome,
  } as unknown as AdapterTools
  return { tools, posted }
}

function usual({ action, body }: Posted, all: readonly TsPrescription[]): string {
  const told = /<r:cfAssistito>([^<]*)</.exec(body)?.[1] ?? ''
  const nre = /<r:nre>([^<]*)</.exec(body)?.[1]
  const code = Buffer.from(told, 'base64').toString()
  const mine = all.filter((one) => [code, told].includes(one.patient.value) && (nre === undefined || one.nre === nre))
  if (action.endsWith('/elencoRicette')) return listAnswer(mine)
  if (action.endsWith('/visualizzaRicetta')) return viewAnswer(mine[0])
  return citizenListAnswer(mine)
}

const dispenser = {
  list: 'elencoRicette',
  host: 'https://ts.example',
  dispenser: { region: '090', localAuthority: '202', facility: '012345' },
}

function connected(tools: AdapterTools, options: object = dispenser): Community {
  return adapter.connect({ home, name: 'sistema-ts', options }, tools)
}

const call: AuthorizedCall = authorized({})
const about = { ...call, assertion: { ...call.assertion, patientId: patient } }

async function told(tools: AdapterTools, query: Partial<StoredQuery> = {}, options: object = dispenser) {
  const find = {
    ...{ type: 'FindDocuments', patientId: patient, status: ['approved', 'deprecated'], extra: [] },
    filter: { kinds: ['on-demand', 'stable'] } satisfies DocumentFilter,
    ...query,
  } as StoredQuery
  const answer = await connected(tools, options).registry?.query(find, about)
  if (answer === undefined) throw new Error('There is no registry')
  return answer
}
const ids = (entries: readonly DocumentEntry[]) => entries.map(({ uniqueId }) => uniqueId.split('^')[1])

async function retrieved(tools: AdapterTools, uniqueId: string) {
  const repositoryUniqueId = '2.16.840.1.113883.2.9.2.970.4.5.1'
  const answer = await connected(tools).repository?.retrieve([{ home, repositoryUniqueId, uniqueId }], about)
  const [document] = answer?.documents ?? []
  const chunks: Uint8Array[] = []
  for await (const chunk of document?.content.read() ?? []) chunks.push(chunk)
  return { document, bytes: Buffer.concat(chunks), issues: answer?.issues ?? [] }
}

describe('the entry of a prescription', () => {
  it('says what the affinity domain lets documents of Sistema TS say', async () => {
    const { entries, issues } = await told(world([prescription(), dispensed]).tools)
    expect(issues).toEqual([])
    expect(ids(entries)).toEqual(['0900A4000000001_PREFARM', '0900A4000000002_PRESPEC', '0900A4000000002_EROSPEC'])
    const codes = entries.map((one) => [one.typeCode?.code, one.classCode?.code, one.formatCode?.code])
    expect(codes).toEqual([
      ['57833-6', 'PRS', '2.16.840.1.113883.2.9.10.1.2.1'],
      ['57832-8', 'PRS', '2.16.840.1.113883.2.9.10.1.2.2'],
      ['81223-0', 'PRE', '2.16.840.1.113883.2.9.10.1.13.1.2'],
    ])
    expect(entries.map(({ eventCodes }) => eventCodes.map(({ code }) => code))).toEqual([['PUBLICPOL'], [], []])
    for (const entry of entries) {
      const set = { ...submissionSet('s'), patientId: entry.patientId }
      const submission = { submissionSet: set, entries: [entry], folders: [], associations: [] }
      const wrong = checkMetadata({ type: 'submit', submission }, metadataRules(), { lenient: new Set() })
      // What is made on demand has neither hash, size nor creation time, and is not pushed; the set is this test's own.
      const ours = wrong.filter(({ location }) => location === entry.entryUuid)
      expect(ours.filter(({ text }) => !/hash|size|creationTime|association with SubmissionSet/i.test(text))).toEqual(
        [],
      )
    }
  })

  it('is of a document that is made on demand, with an id of its own that is always the same', async () => {
    const [first] = (await told(world([prescription()]).tools)).entries
    const [again] = (await told(world([prescription()]).tools)).entries
    expect(first).toMatchObject({ kind: 'on-demand', home, status: 'approved', serviceStartTime: '20260702083000' })
    for (const absent of ['hash', 'size', 'creationTime'] as const) expect(first).not.toHaveProperty(absent)
    expect(first?.entryUuid).toBe(again?.entryUuid)
    // The reference is a version 5 UUID by node:crypto.
    const namespace = Buffer.from('6ba7b8129dad11d180b400c04fd430c8', 'hex')
    const digest = createHash('sha1')
      .update(namespace)
      .update(first?.uniqueId ?? '')
      .digest('hex')
    expect(first?.entryUuid.replaceAll('-', '').slice(9, 21)).toBe(digest.slice(0, 12))
    expect(first?.entryUuid).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('cites its order and names who wrote it', async () => {
    const [entry] = (await told(world([prescription()]).tools)).entries
    expect(entry?.referenceIds).toEqual([`0900A4000000001^^^&${authorityOfOrders}&ISO^urn:ihe:iti:xds:2013:order`])
    expect(entry && isAuthor(entry, 'BLDSRA66E50X501Z^^^&2.16.840.1.113883.2.9.4.3.2&ISO')).toBe(true)
    expect(entry?.authors[0]?.institutions).toEqual(['Sistema TS^^^^^&2.16.840.1.113883.2.9.2&ISO^^^^970'])
  })

  it('is deprecated once the doctor cancelled it, and not because it has expired', async () => {
    const all = [state.cancelled, state.expired].map((one, at) =>
      prescription({ nre: `0900A400000001${at}`, state: one }),
    )
    const { entries } = await told(world(all).tools)
    expect(entries.map(({ status }) => status)).toEqual(['deprecated', 'approved'])
    const { entries: current } = await told(world(all).tools, { status: ['approved'] })
    expect(ids(current)).toEqual(['0900A4000000011_PREFARM'])
  })

  it('is there for no number that no prescription was written under yet', async () => {
    const unwritten = { ...prescription(), state: '1' as never }
    const { tools, posted } = world([unwritten])
    expect((await told(tools)).entries).toEqual([])
    expect(posted).toHaveLength(1)
  })

  it('says that the citizen paid where it was dispensed outside the health service', async () => {
    const outside: TsRemark = { code: '5221', text: 'Erogata fuori SSN', kind: 'Avviso' }
    const { tools } = world([prescription()], ({ action }) =>
      action.endsWith('/visualizzaRicetta')
        ? viewAnswer(prescription(), { ...accepted, remarks: [outside] })
        : undefined,
    )
    const { entries, issues } = await told(tools)
    expect(entries[0]?.eventCodes.map(({ code }) => code)).toEqual(['pay'])
    expect(issues).toEqual([])
  })
})

describe('asking for prescriptions', () => {
  it('names the citizen by a cipher, or in clear where that is agreed', async () => {
    const { tools, posted } = world([prescription()])
    await told(tools)
    for (const { body } of posted) expect(body).not.toContain(value)
    await told(tools, {}, { ...dispenser, citizenCode: 'clear' })
    expect(posted.at(-1)?.body).toContain(value)
  })

  it('sends nothing when no documents made on demand are wanted, nor for submission sets', async () => {
    const { tools, posted } = world([prescription()])
    expect((await told(tools, { filter: {} })).entries).toEqual([])
    const sets = { type: 'FindSubmissionSets', patientId: patient, status: ['approved'] } as Partial<StoredQuery>
    expect((await told(tools, sets)).submissionSets).toEqual([])
    expect(posted).toEqual([])
  })

  it('filters as a registry does', async () => {
    const { tools } = world([prescription(), dispensed])
    const filter: DocumentFilter = { kinds: ['on-demand'], typeCodes: [{ code: '81223-0' }] }
    expect(ids((await told(tools, { filter })).entries)).toEqual(['0900A4000000002_EROSPEC'])
  })

  it('finds what cites an order by its number alone', async () => {
    const { tools, posted } = world([prescription(), dispensed])
    const referenceIds = [[`0900A4000000002^^^&${authorityOfOrders}&ISO^urn:ihe:iti:xds:2013:order`]]
    const { entries } = await told(tools, { type: 'FindDocumentsByReferenceId', referenceIds } as Partial<StoredQuery>)
    expect(ids(entries)).toEqual(['0900A4000000002_PRESPEC', '0900A4000000002_EROSPEC'])
    expect(posted).toHaveLength(2)
  })

  it('tells which prescriptions it left out, and looks at no more than it may', async () => {
    const all = Array.from({ length: 5 }, (_, at) => prescription({ nre: `0900A40000001${at}0` }))
    const { tools, posted } = world(all)
    const { entries, issues } = await told(tools, {}, { ...dispenser, mostPrescriptions: 2 })
    expect(entries).toHaveLength(2)
    expect(posted).toHaveLength(3)
    expect(issues).toMatchObject([{ severity: 'warning', text: expect.stringMatching(/^Left out 3 /) }])
  })

  it('keeps what could be read beside what could not', async () => {
    const { tools } = world([prescription(), dispensed], ({ action, body }) =>
      action.endsWith('/visualizzaRicetta') && body.includes('0001<')
        ? viewAnswer(undefined, refused({ code: '9002', text: 'No', kind: 'Bloccante' }))
        : undefined,
    )
    const { entries, issues } = await told(tools)
    expect(ids(entries)).toEqual(['0900A4000000002_PRESPEC', '0900A4000000002_EROSPEC'])
    expect(issues.map(({ severity }) => severity)).toEqual(['error'])
  })

  it('knows nobody by an identifier that Sistema TS does not use', async () => {
    const card: PatientId = { value: '80276001234567890123', authority: authorities.teamCard }
    await expect(told(world([]).tools, { patientId: card })).rejects.toMatchObject({ code: 'patient-unknown' })
  })

  it('says whose a prescription is where that is told, so that a stranger’s is refused', async () => {
    const { tools } = world([prescription()], ({ action }) =>
      action.endsWith('/visualizzaRicetta')
        ? viewAnswer(prescription(), accepted, { owner: 'STRNNN60P01X777Z' })
        : undefined,
    )
    expect((await told(tools)).entries[0]?.patientId.value).toBe('STRNNN60P01X777Z')
  })

  it('by a region’s list takes one question', async () => {
    const { tools, posted } = world([prescription()])
    const sar = { url: 'https://sar.example/list', action: 'urn:list', requester: 'BLDSRA66E50X501Z' }
    expect(ids((await told(tools, {}, { list: 'sar', sar })).entries)).toEqual(['0900A4000000001_PREFARM'])
    expect(posted.map(({ action }) => action)).toEqual(['urn:list'])
  })
})

describe('the document of a prescription', () => {
  const uniqueId = `${authorityOfOrders}^0900A4000000001_PREFARM`

  it('is made of what is told, as the same bytes every time', async () => {
    const { document, bytes } = await retrieved(world([prescription()]).tools, uniqueId)
    const again = await retrieved(world([prescription()]).tools, uniqueId)
    expect(document?.mimeType).toBe('text/x-cda-r2+xml')
    expect(again.bytes.equals(bytes)).toBe(true)
    expect(document?.content).toMatchObject({
      size: bytes.length,
      sha1: createHash('sha1').update(bytes).digest('hex'),
    })
    const text = bytes.toString()
    for (const part of [
      '<templateId root="2.16.840.1.113883.2.9.10.1.2.1"/>',
      `<id root="${authorityOfOrders}" extension="0900A4000000001_PREFARM"/>`,
      '<effectiveTime value="20260702083000+0000"/>',
      '<name>CIPRESSI BIANCA</name>',
      '<td>Bentelan*10 cpr eff 0,5 mg</td>',
      'Documento non firmato',
    ]) {
      expect(text).toContain(part)
    }
  })

  it('does not name who wants their name shown on request only', async () => {
    const told = viewAnswer(prescription({ hidesName: true }))
    const named = told.replace(
      '<cognNome></cognNome>',
      '<cognNome>CIPRESSI BIANCA</cognNome><indirizzo>VIA X</indirizzo>',
    )
    expect(named).toContain('CIPRESSI')
    const { tools } = world([prescription()], ({ action }) =>
      action.endsWith('/visualizzaRicetta') ? named : undefined,
    )
    const { bytes } = await retrieved(tools, uniqueId)
    expect(bytes.toString()).toContain('0900A4000000001')
    expect(bytes.toString()).not.toMatch(/CIPRESSI|VIA X|<patient>/)
  })

  it('is found and handed out again under the id it got, until the prescription says something else', async () => {
    const { tools } = world([prescription()])
    const { document, bytes } = await retrieved(tools, uniqueId)
    const newId = document?.newUniqueId ?? ''
    expect(newId).toMatch(/^2\.16\.840\.1\.113883\.2\.9\.2\.970\.4\.4\^0900A4000000001_PREFARM_[0-9a-f]{40}$/)
    const get = { type: 'GetDocuments', documents: { by: 'unique-id', ids: [newId] } } as Partial<StoredQuery>
    const { patientId: _, ...query } = { patientId: patient, ...get }
    expect((await told(tools, query)).entries).toMatchObject([
      { kind: 'stable', uniqueId: newId, size: bytes.length, hash: document?.content.sha1 },
    ])
    const again = await retrieved(tools, newId)
    expect(again.bytes.equals(bytes)).toBe(true)
    expect(again.document?.newUniqueId).toBeUndefined()
    const { tools: later } = world([prescription({ state: state.expired })])
    expect((await retrieved(later, newId)).issues).toMatchObject([{ code: 'XDSDocumentUniqueIdError' }])
  })

  it('is nobody else’s: a number that stands in no list of the citizen is unknown', async () => {
    const other = prescription({ patient: { value: 'STRNNN60P01X777Z', authority } })
    const { tools, posted } = world([other])
    const { document, issues } = await retrieved(tools, uniqueId)
    expect(document).toBeUndefined()
    expect(issues).toMatchObject([{ code: 'XDSDocumentUniqueIdError', uniqueId }])
    expect(posted.every(({ action }) => action.endsWith('/elencoRicette'))).toBe(true)
  })

  it('is looked for under the citizen’s other codes, where the registry of citizens tells them', async () => {
    const [{ value: now }, before] = citizens['two-codes'].identifiers
    const filed = prescription({ patient: { value: before?.value ?? '', authority } })
    const { tools } = world([filed], ({ action }) =>
      action.includes('mobilita') ? citizenAnswer(citizens['two-codes'], 'normal') : undefined,
    )
    const options = { ...dispenser, citizens: { url: 'https://ts.example/m', region: '090' } }
    const asker = { ...about, assertion: { ...about.assertion, patientId: { ...patient, value: now } } }
    const answer = await connected(tools, options).repository?.retrieve(
      [{ repositoryUniqueId: '2.16.840.1.113883.2.9.2.970.4.5.1', uniqueId }],
      asker,
    )
    expect(answer?.documents).toHaveLength(1)
  })
})

describe('connecting', () => {
  it('needs to know how Sistema TS is spoken to', () => {
    const { sistemaTs: _, ...without } = world([]).tools
    expect(() => connected(without)).toThrow(/needs sistemaTs/)
  })

  it.each([
    ['host', { ...dispenser, host: undefined }],
    ['dispenser', { ...dispenser, dispenser: undefined }],
    ['sar', { list: 'sar' }],
    ['list', {}],
  ])('needs %s for what is to be asked', (name, options) => {
    expect(() => connected(world([]).tools, options)).toThrow(new RegExp(name))
  })

  it('offers what the options name', () => {
    const { tools } = world([])
    expect(connected(tools)).toMatchObject({ relation: 'supplement', reaches: [] })
    expect(connected(tools).citizens).toBeUndefined()
    const only = connected(tools, { citizens: { url: 'https://ts.example/m', region: '090' } })
    expect(only.registry).toBeUndefined()
    expect(only.citizens).toBeDefined()
  })
})
