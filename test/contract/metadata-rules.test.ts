import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { metadataRules } from '../../contracts/affinity-domain/metadata-rules.ts'
import { metadataError, ruleCodes } from '../../contracts/affinity-domain/rule-codes.ts'
import type { SubmitChange, UpdateChange } from '../../src/core/model/change.ts'
import { timestamp } from '../../src/core/model/timestamp.ts'
import { checkMetadata } from '../../src/core/policy/metadata-rules.ts'
import { folder, otherCitizen } from '../support/builders.ts'
import {
  associated,
  coded,
  confidential,
  content,
  event,
  events,
  has,
  inOrder,
  lacks,
  type Mutation,
  onEntry,
  onSet,
  related,
  sent,
  setHas,
  slotted,
  veryConfidential,
  without,
  wrote,
} from '../support/mutations.ts'
import { membership, validEntry, validSubmit } from '../support/submissions.ts'

const rules = metadataRules()
const strict = { lenient: new Set<string>() }

/** The names of the rules that a change breaks, in their order. */
function broken(change: SubmitChange | UpdateChange): string[] {
  return rules.filter((rule) => checkMetadata(change, [rule], strict).length > 0).map(({ name }) => name)
}

const nre = '0900A4000000001'
const orders = '2.16.840.1.113883.2.9.4.3.8'
const as = (uniqueId: string) => has({ uniqueId })
const refers = (...referenceIds: readonly string[]) => has({ referenceIds })

/** The name of a rule, what it lets pass, what breaks it, and the rules that break with it. */
type Row = readonly [name: string, passes: Mutation, fails: Mutation, along?: readonly string[]]

const table: readonly Row[] = [
  // What documents and submissions are named by.
  ['unique-id', as(`${orders}^${nre}_PRESPEC`), as('2.16.840.1.113883.2.9.2.090.4.4^X1')],
  ['unique-id', as(`${orders}^${nre}_PREFARM`), as(`${orders}^${nre}`)],
  ['unique-id', as(`${orders}^${nre}_EROFARM`), as(`${orders}^${nre}_OTHER`)],
  ['unique-id', as(`${orders}^${nre}_EROSPEC`), as(`2.16.840.1.113883.2.9.2.50.4.4^${nre}_EROSPEC`)],
  ['unique-id', as('2.16.840.1.113883.2.9.2.0.4.4^1'), as('2.16.840.1.113883.2.9.2.40.4.4^1')],
  ['unique-id', as('2.16.840.1.113883.2.9.2.200.4.4^GTW 12/a^b'), as('2.16.840.1.113883.2.9.2.200.4.4^')],
  ['unique-id', as('2.16.840.1.113883.2.9.2.999.4.4^a'), as('2.16.840.1.113883.2.9.2.90.4.5^1')],
  [
    'unique-id-once',
    () => validSubmit([validEntry('Document1'), validEntry('Document2')]),
    () =>
      validSubmit([
        validEntry('Document1'),
        { ...validEntry('Document2'), uniqueId: validEntry('Document1').uniqueId },
      ]),
  ],
  [
    'repository-unique-id',
    has({ repositoryUniqueId: '2.16.840.1.113883.2.9.2.0.4.5.3' }),
    has({ repositoryUniqueId: '2.16.840.1.113883.2.9.2.0.4.4.3' }),
  ],
  [
    'repository-unique-id',
    has({ repositoryUniqueId: '2.16.840.1.113883.2.9.2.30.4.5.1.2' }),
    lacks('repositoryUniqueId'),
  ],
  ['reference-id', refers(), refers(`${nre}_PRESPEC^^^&${orders}&ISO^urn:ihe:iti:xds:2013:order`)],
  [
    'reference-id',
    refers(
      `${nre}^^^&${orders}&ISO^urn:ihe:iti:xds:2013:order`,
      '1300Z4001511110^^^&2.16.840.1.113883.2.9.4.3.8&ISO^urn:ihe:iti:xds:2013:order',
    ),
    refers(`${nre}^^^&2.16.840.1.113883.2.9.4.3.9&ISO^urn:ihe:iti:xds:2013:order`),
  ],
  ['reference-id', refers(), refers('1.2.3^^^^urn:ihe:iti:xds:2016:studyInstanceUID')],
  ['reference-id', refers(), refers(nre)],
  ['reference-id-other', refers(), refers('77^^^^urn:rve:2018:idReq')],
  ['source-patient-id', has({ sourcePatientId: 'MPI-1^^^&1.2.3&ISO' }), lacks('sourcePatientId')],
  [
    'patient-of-entry',
    inOrder(has({ patientId: otherCitizen }), setHas({ patientId: otherCitizen })),
    has({ patientId: otherCitizen }),
  ],
  [
    'patient-of-folder',
    ({ submission, ...more }) => ({ ...more, submission: { ...submission, folders: [folder('1')] } }),
    ({ submission, ...more }) => ({
      ...more,
      submission: { ...submission, folders: [folder('1', { patientId: otherCitizen })] },
    }),
  ],
  ['membership', related('replaces', 'Document1', 'urn:uuid:old'), associated(() => [])],
  [
    'membership',
    associated(([member]) => (member ? [{ ...member, previousVersion: '1' }] : [])),
    associated(() => [membership('Folder1', 'Document1')]),
  ],
  [
    'association-source',
    related('replaces', 'Document1', 'urn:uuid:old'),
    related('replaces', 'urn:uuid:new', 'urn:uuid:old'),
  ],
  [
    'association-source',
    related('replaces', 'urn:uuid:old', 'urn:uuid:old'),
    related('appends', 'Document2', 'Document1'),
  ],
  [
    'membership-status',
    related('has-member', 'SubmissionSet1', 'urn:uuid:elsewhere'),
    associated(([member]) => (member ? [without(member, ['submissionSetStatus'])] : [])),
  ],
  [
    'submission-unique-id',
    setHas({ uniqueId: '2.16.840.1.113883.2.9.2.120.4.3.0000000001' }),
    setHas({ uniqueId: '2.16.840.1.113883.2.9.2.120.4.4.1' }),
  ],
  [
    'submission-source-id',
    setHas({ sourceId: '2.16.840.1.113883.2.9.2.0' }),
    setHas({ sourceId: '2.16.840.1.113883.2.9.2.090' }),
  ],
  ['submission-source-id', setHas({}), onSet((set) => without(set, ['sourceId']))],
  [
    'nothing-submitted',
    ({ submission, ...more }) => ({
      ...more,
      submission: { ...submission, entries: [], associations: [membership('SubmissionSet1', 'urn:uuid:old')] },
    }),
    () => validSubmit([]),
  ],

  // Classifications.
  ['type-code-missing', has({}), lacks('typeCode')],
  ['type-code-scheme', has({}), coded('typeCode', { scheme: 'LOINC' })],
  ['type-code-scheme', has({}), coded('typeCode', { scheme: '' })],
  [
    'type-code-value',
    coded('typeCode', { code: '11488-4', display: 'Referto specialistico' }),
    coded('typeCode', { code: '86530-3' }),
  ],
  ['type-code-value', has({}), coded('typeCode', { code: 'constructor' })],
  ['type-code-display', has({}), coded('typeCode', { display: 'Referto di laboratorio' })],
  [
    'type-code-display',
    inOrder(
      coded('typeCode', { code: '87273-9', display: 'Scheda singola vaccinazione' }),
      coded('classCode', { code: 'VAC', display: 'Vaccino' }),
    ),
    onEntry((entry) => ({ ...entry, typeCode: { code: '11502-2', scheme: '2.16.840.1.113883.6.1' } })),
  ],
  ['class-code-missing', has({}), lacks('classCode')],
  ['class-code-scheme', has({}), coded('classCode', { scheme: '2.16.840.1.113883.2.9.3.3.6.1.6' })],
  ['class-code-value', has({}), coded('classCode', { code: 'XXX' })],
  [
    'class-code-display',
    inOrder(
      coded('typeCode', { code: '34105-7', display: 'Lettera di dimissione ospedaliera' }),
      coded('classCode', { code: 'LDO', display: 'Lettera di dimissione ospedaliera' }),
    ),
    coded('classCode', { display: 'Referti' }),
  ],
  [
    'class-of-type',
    inOrder(
      coded('typeCode', { code: '29304-3', display: 'Erogazione farmaceutica' }),
      coded('classCode', { code: 'PRE', display: 'Prestazioni' }),
    ),
    coded('classCode', { code: 'SUM', display: 'Sommario' }),
  ],
  [
    'class-of-type',
    coded('typeCode', {
      code: '102033-8',
      display: 'Pathology network list (documento proveniente da reti di patologie)',
    }),
    coded('typeCode', { code: '28653-4', display: 'Certificato di malattia' }),
  ],
  ['format-code-missing', has({}), lacks('formatCode')],
  ['format-code-scheme', has({}), coded('formatCode', { scheme: '1.2.3' })],
  ['format-code-value', coded('formatCode', { code: 'PDF', display: 'PDF' }), coded('formatCode', { code: 'EFC' })],
  ['format-code-display', has({}), coded('formatCode', { display: 'LAB' })],
  ['format-code-former', has({}), coded('formatCode', { code: '2.16.840.1.113883.2.9.10.1.7', display: 'Referto' })],
  ['facility-type-code-missing', has({}), lacks('healthcareFacilityTypeCode')],
  ['facility-type-code-scheme', has({}), coded('healthcareFacilityTypeCode', { scheme: '1.2.3' })],
  [
    'facility-type-code-value',
    coded('healthcareFacilityTypeCode', { code: 'MdsPN-DGC', display: 'MdsPN-DGC' }),
    coded('healthcareFacilityTypeCode', { code: 'MdsPN_DGC', display: 'MdsPN_DGC' }),
  ],
  ['facility-type-code-display', has({}), coded('healthcareFacilityTypeCode', { display: 'ospedale' })],
  ['practice-setting-code-missing', has({}), lacks('practiceSettingCode')],
  ['practice-setting-code-scheme', has({}), coded('practiceSettingCode', { scheme: '1.2.3' })],
  ['practice-setting-code-value', has({}), coded('practiceSettingCode', { code: 'AD_PSC000' })],
  [
    'practice-setting-code-display',
    coded('practiceSettingCode', { code: 'AD_PSC098', display: 'Day Surgery Plurispecialistica' }),
    coded('practiceSettingCode', { code: 'AD_PSC028', display: 'Unità Spinale' }),
  ],
  [
    'practice-setting-code-former',
    has({}),
    coded('practiceSettingCode', { code: 'AD_PSC106', display: 'Pronto Soccorso e OBI' }),
  ],
  ['confidentiality-code-missing', has({}), has({ confidentialityCodes: [] })],
  ['confidentiality-code-scheme', has({}), confidential({ scheme: '2.16.840.1.113883.5.26' })],
  ['confidentiality-code-value', confidential({ code: 'R', display: 'Restricted' }), confidential({ code: 'U' })],
  ['confidentiality-code-display', has({}), confidential({ display: 'normale' })],
  ['event-code-scheme', events('P99'), events(event('P99', { scheme: '2.16.840.1.113883.6.73' }))],
  ['event-code-value', events('J07BN01', 'J07BN', '836381006', 'P81', 'PUBLICPOL'), events('LP999999-9')],
  ['event-code-value', events(), events('J08AA01')],
  ['event-code-display', events('P99'), events(event('P99', { display: 'Oscurato' }))],
  ['obscured-to-one', events('P99'), events('P97')],
  ['obscured-to-one', events('P81'), events('P98')],
  ['one-visibility-policy', events('P99', 'P81', 'PUBLICPOL'), events('P99', 'P99')],
  ['one-visibility-policy', inOrder(veryConfidential, events('P00')), inOrder(veryConfidential, events('P99', 'P00'))],
  ['most-protected-without-policy', inOrder(veryConfidential, events('P99')), veryConfidential],
  [
    'most-protected-without-policy',
    inOrder(veryConfidential, events('P00')),
    inOrder(veryConfidential, events('PUBLICPOL')),
  ],
  ['declared-in-clear-for-nothing', inOrder(veryConfidential, events('P00')), events('P00')],
  ['content-type-code-missing', setHas({}), onSet((set) => without(set, ['contentTypeCode']))],
  ['content-type-code-scheme', setHas({}), content({ scheme: '1.2.3' })],
  [
    'content-type-code-value',
    content({ code: 'Sistema TS', display: 'Documenti sistema TS' }),
    content({ code: 'PN_DGC', display: 'Documenti PN-DGC' }),
  ],
  ['content-type-code-display', content({ code: 'INI', display: 'Documenti INI' }), content({ code: 'INI' })],
  ['content-type-code-former', setHas({}), content({ code: 'SistemaTS', display: 'Documenti sistema TS' })],

  // Files and times.
  ['mime-type', has({ mimeType: 'text/x-cda-r2+xml' }), lacks('mimeType'), []],
  ['mime-type', has({}), has({ mimeType: 'cda' }), ['mime-type-unusual']],
  ['mime-type-unusual', has({ mimeType: 'text/x-cda-r2+xml' }), has({ mimeType: 'text/xml' })],
  ['language-code', has({ languageCode: 'de-DE' }), lacks('languageCode')],
  ['language-code', has({ languageCode: 'it' }), has({ languageCode: 'italiano' })],
  ['hash', has({ hash: 'DA39A3EE5E6B4B0D3255BFEF95601890AFD80709' }), lacks('hash')],
  ['hash', inOrder(has({ kind: 'on-demand' }), lacks('hash')), has({ hash: '4e7c8255' })],
  [
    'hash-form',
    slotted('hash', '4E7C8255378D8086EE0C527BB7F1B6444256251C'),
    slotted('hash', 'TnyCVTeNgIbuDFJ7t/G2REJWJRw='),
  ],
  ['size', has({ size: 0 }), lacks('size')],
  ['size', inOrder(has({ kind: 'on-demand' }), lacks('size')), has({ size: -1 })],
  ['creation-time', has({ creationTime: timestamp('2024') }), lacks('creationTime')],
  ['service-time', lacks('serviceStartTime'), inOrder(lacks('serviceStartTime'), slotted('serviceStartTime', 'ieri'))],
  ['service-time', lacks('serviceStopTime'), inOrder(lacks('serviceStopTime'), slotted('serviceStopTime', '20241301'))],
  [
    'service-order',
    has({ serviceStartTime: timestamp('20240326'), serviceStopTime: timestamp('202403') }),
    has({ serviceStartTime: timestamp('20240327'), serviceStopTime: timestamp('20240326101500') }),
  ],
  ['submission-time', setHas({}), onSet((set) => without(set, ['submissionTime']))],

  // Slots of the affinity domain.
  [
    'administrative-request',
    slotted('urn:ita:2022:administrativeRequest', 'SSN^Regime SSN', 'AUTO^Autoprodotto'),
    slotted('urn:ita:2022:administrativeRequest', 'SSN^Regime SSN', 'SSX^Regime SSN'),
  ],
  [
    'administrative-request-display',
    slotted('urn:ita:2022:administrativeRequest', 'AUTO^Autoprodotto / Taccuino / Cittadino'),
    slotted('urn:ita:2022:administrativeRequest', 'SSN^Regime privato'),
  ],
  ['administrative-request-bare', slotted('other', 'SSN'), slotted('urn:ita:2022:administrativeRequest', 'SSN')],
  [
    'description',
    slotted(
      'urn:ita:2022:description',
      '1^a^2.16.840.1.113883.2.9.2.090.6.1.11',
      '1^a^2.16.840.1.113883.2.9.2.90.6.1.11',
      '1^a^2.16.840.1.113883.6.73',
    ),
    slotted('urn:ita:2022:description', '1^a^2.16.840.1.113883.2.9.2.40.6.1.11'),
  ],
  ['description', has({}), slotted('urn:ita:2022:description', '019655^Bentelan')],
  ['document-signed', has({}), slotted('urn:ita:2022:documentSigned', 'false')],
  ['repository-type', has({}), slotted('urn:ita:2017:repository-type', 'CONS')],
  ['eds-published', slotted('urn:ita:fse:2025:EDSpublished', 'FALSE'), slotted('urn:ita:fse:2025:EDSpublished', 'yes')],

  // Authors.
  [
    'author-person',
    wrote({ persons: ['CLNCXX75C03F839M^CLINICO^CARLO^^^^^^&2.16.840.1.113883.2.9.4.3.2&ISO^L'] }),
    wrote({ persons: ['CLNCXX75C03F839M^^^&2.16.840.1.113883.2.9.4.3.2&ISO'] }),
  ],
  ['author-person-form', has({}), wrote({ persons: ['01234567890^^^^^^^^&2.16.840.1.113883.2.9.6.3.2%ISO'] })],
  [
    'author-institution',
    wrote({ institutions: ['^^^^^&2.16.840.1.113883.2.9.2.10206&ISO^^^^010206'] }),
    wrote({ institutions: ['Presidio Ospedaliero Arno'] }),
  ],
  [
    'author-institution-form',
    has({}),
    wrote({ institutions: ['Presidio^^^^^2.16.840.1.113883.2.9.4.1.3&ISO^^^^999109'] }),
  ],
  ['author-role', wrote({ roles: ['NOR', 'GTW'] }), wrote({ roles: ['Attending'] })],
  ['submission-author-person', has({}), sent({ persons: ['Carlo Clinico'] })],
  [
    'submission-author-person-form',
    has({}),
    sent({ persons: ['01234567890^^^^^^^^&2.16.840.1.113883.2.9.6.3.2%ISO'] }),
  ],
  ['submission-author-institution', has({}), sent({ institutions: ['ASL^^^^^^^^^090202'] })],
  [
    'submission-author-institution-form',
    has({}),
    sent({ institutions: ['Presidio^^^^^2.16.840.1.113883.2.9.4.1.3&ISO^^^^999109'] }),
  ],
  ['submission-author-role', has({}), sent({ roles: ['aas'] })],
]

const rows = table.map(([name, passes, fails, along = []]) => ({ name, passes, fails, along }))

describe('the rules for metadata', () => {
  it('are broken by nothing in a valid push, however many documents it holds', () => {
    expect(broken(validSubmit())).toEqual([])
    expect(broken(validSubmit([validEntry('Document1'), validEntry('Document2')]))).toEqual([])
    expect(broken({ ...validSubmit(), type: 'update' })).toEqual([])
  })

  it('have names of their own, sources and texts that can be told', () => {
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length)
    for (const { name, source, text, code } of rules) {
      expect(name).toMatch(/^[a-z]+(?:-[a-z]+)*$/)
      expect(source, name).toMatch(/ini\.md §|ITI TF-3|WX:/)
      expect(text.replace('{id}', ''), name).not.toMatch(/[{}]/)
      expect(code, name).toMatch(/^(?:R[0-9]+|XDS[A-Za-z]+)$/)
    }
  })

  it('each have a row here', () => {
    expect(rules.map(({ name }) => name).filter((name) => !rows.some((row) => row.name === name))).toEqual([])
  })

  it.each(rows)('let pass what is right about $name', ({ passes }) => {
    expect(broken(passes(validSubmit()))).toEqual([])
  })

  it.each(rows)('tell what is wrong about $name, and nothing else', ({ name, fails, along }) => {
    expect(broken(fails(validSubmit())).sort()).toEqual([name, ...along].sort())
  })

  it('name the document that is wrong among others', () => {
    const alone = ['membership', 'unique-id-once']
    const ofEntries = rows.filter(({ name }) => {
      return !alone.includes(name) && rules.some((rule) => rule.name === name && rule.appliesTo === 'entry')
    })
    expect(ofEntries.length).toBeGreaterThan(70)
    fc.assert(
      fc.property(
        fc.constantFrom(...ofEntries),
        fc.integer({ min: 1, max: 4 }),
        fc.nat({ max: 3 }),
        ({ name, fails, along }, count, place) => {
          const entries = Array.from({ length: count }, (_, index) => validEntry(`Document${index}`))
          const wrong = `Document${place % count}`
          const [mutated] = fails(validSubmit([validEntry(wrong)])).submission.entries
          const change = validSubmit(entries.map((entry) => (entry.entryUuid === wrong ? (mutated ?? entry) : entry)))
          const locations = checkMetadata(change, rules, strict).map(({ location }) => location)
          expect(locations).toEqual([name, ...along].map(() => wrong))
        },
      ),
    )
  })

  it('name the document that is a member of nothing, and both that share a uniqueId', () => {
    const three = validSubmit([validEntry('Document1'), validEntry('Document2'), validEntry('Document3')])
    const told = (mutation: Mutation) => checkMetadata(mutation(three), rules, strict).map(({ location }) => location)
    expect(told(associated((all) => all.filter(({ target }) => target !== 'Document2')))).toEqual(['Document2'])
    expect(
      told(
        onEntry((entry) =>
          entry.entryUuid === 'Document2' ? entry : { ...entry, uniqueId: validEntry('Document1').uniqueId },
        ),
      ),
    ).toEqual(['Document1', 'Document3'])
  })

  it.each<[string, Mutation]>([
    ['SubmissionSet1', setHas({ sourceId: '1.2' })],
    ['SubmissionSet1', () => validSubmit([])],
    ['Relation1', related('replaces', 'Document2', 'urn:uuid:old')],
    [
      'urn:uuid:1',
      ({ submission, ...more }) => {
        return { ...more, submission: { ...submission, folders: [folder('1', { patientId: otherCitizen })] } }
      },
    ],
  ])('name %s, which is no document, when that is wrong', (id, mutation) => {
    expect(checkMetadata(mutation(validSubmit()), rules, strict)).toMatchObject([{ location: id }])
  })

  const arbitraryCode = fc.record({ code: fc.string(), scheme: fc.string(), display: fc.string() })
  // V and the codes of hiding are compared with each other too, whatever their scheme.
  const meaningless = arbitraryCode.filter(({ code }) => !/^(?:V|P\d\d)$/.test(code))
  const text = fc.string({ minLength: 1, unit: 'binary' })
  it.each<[about: RegExp, fc.Arbitrary<Mutation>]>([
    [/^unique-id$/, text.map((uniqueId) => has({ uniqueId }))],
    [/^repository-unique-id$/, text.map((repositoryUniqueId) => has({ repositoryUniqueId }))],
    [/^reference-id/, text.map((id) => refers(id))],
    [/^hash$/, text.map((hash) => has({ hash }))],
    [/^mime-type/, text.map((mimeType) => has({ mimeType }))],
    [/^language-code$/, fc.string({ minLength: 12 }).map((languageCode) => has({ languageCode }))],
    [/^submission-unique-id$/, text.map((uniqueId) => setHas({ uniqueId }))],
    [/^submission-source-id$/, text.map((sourceId) => setHas({ sourceId }))],
    [/^(?:type-code|class-of)-/, arbitraryCode.map((typeCode) => has({ typeCode }))],
    [/^(?:class-code|class-of)-/, arbitraryCode.map((classCode) => has({ classCode }))],
    [/^format-code-/, arbitraryCode.map((formatCode) => has({ formatCode }))],
    [/^facility-type-code-/, arbitraryCode.map((code) => has({ healthcareFacilityTypeCode: code }))],
    [/^practice-setting-code-/, arbitraryCode.map((code) => has({ practiceSettingCode: code }))],
    [/^confidentiality-code-/, meaningless.map((code) => has({ confidentialityCodes: [code] }))],
    [/^event-code-/, meaningless.map((code) => has({ eventCodes: [code] }))],
    [/^content-type-code-/, arbitraryCode.map((contentTypeCode) => setHas({ contentTypeCode }))],
    [/^administrative-request/, text.map((value) => slotted('urn:ita:2022:administrativeRequest', value))],
    [/^description$/, text.map((value) => slotted('urn:ita:2022:description', value))],
    [/^author-person/, text.map((person) => wrote({ persons: [person] }))],
    [/^author-institution/, text.map((institution) => wrote({ institutions: [institution] }))],
  ])('take no text at random for right: %s, and break for no other reason', (about, mutations) => {
    fc.assert(
      fc.property(mutations, (mutation) => {
        const names = broken(mutation(validSubmit()))
        expect(names).not.toEqual([])
        expect(names.filter((name) => !about.test(name))).toEqual([])
      }),
    )
  })
})

describe('what is told', () => {
  const told = (mutation: Mutation, among = rules, lenient: readonly string[] = []) =>
    checkMetadata(mutation(validSubmit()), among, { lenient: new Set(lenient) })

  it.each<[string, string, Mutation]>([
    ['R50', 'Wrong value of DocumentEntry.healthcareFacilityCode', coded('healthcareFacilityTypeCode', { code: 'X' })],
    [
      'R56',
      'Wrong format data of display name for DocumentEntry.typeCode (Document1)',
      coded('typeCode', { display: 'Laboratory report' }),
    ],
    ['R80', 'Wrong value of DocumentEntry.uniqueId', as('1.2.3')],
    ['R153', 'Missing association with SubmissionSet', associated(() => [])],
    ['R166', 'Wrong value of referenceIdList', refers(nre)],
    [
      'R227',
      'Mismatch between the value of XDSDocumentEntry.confidentialityCode and XDSDocumentEntry.eventCodeList',
      veryConfidential,
    ],
    [
      'XDSRegistryMetadataError',
      'Wrong value of DocumentEntry.formatCode (Document1)',
      coded('formatCode', { code: 'X' }),
    ],
  ])('is %s in the words of INI, with the object', (code, text, mutation) => {
    expect(told(mutation)).toEqual([{ severity: 'error', code, text, location: 'Document1' }])
  })

  it.each<[string, Mutation]>([
    ['an event of a later version', events('LP999999-9')],
    ['an event under other words', events(event('P99', { display: 'Oscurato' }))],
    ['a practice setting that is no more', coded('practiceSettingCode', { code: 'AD_PSC082' })],
    ['a hash in base64', slotted('hash', 'TnyCVTeNgIbuDFJ7t/G2REJWJRw=')],
    ['a regime without words', slotted('urn:ita:2022:administrativeRequest', 'SSN')],
    ['the display of a confidentiality as the document has it', confidential({ display: 'normale' })],
    [
      'a VAT number as the national gateway writes it',
      wrote({ persons: ['01234567890^^^^^^^^&2.16.840.1.113883.2.9.6.3.2%ISO'] }),
    ],
    ['a request of a region', refers('77^^^^urn:rve:2018:idReq')],
    ['P00 where nothing is protected', events('P00')],
  ])('does not block for %s', (_what, mutation) => {
    expect(told(mutation)).toMatchObject([{ severity: 'warning' }])
  })

  it('is a warning where the code or the rule is treated leniently', () => {
    const wrong = inOrder(events('P97'), coded('typeCode', { display: 'x' }))
    const severities = (...lenient: string[]) =>
      Object.fromEntries(told(wrong, rules, lenient).map(({ code, severity }) => [code, severity]))
    expect(severities()).toEqual({ R56: 'error', XDSRegistryMetadataError: 'error' })
    expect(severities('R56')).toEqual({ R56: 'warning', XDSRegistryMetadataError: 'error' })
    expect(severities('obscured-to-one')).toEqual({ R56: 'error', XDSRegistryMetadataError: 'warning' })
  })

  it('bears another code for displays that no source numbers, where one is configured', () => {
    const numbered = metadataRules({ ...ruleCodes, display: 'R57' })
    const codeOf = (mutation: Mutation) => told(mutation, numbered).map(({ code }) => code)
    expect(codeOf(coded('classCode', { display: 'x' }))).toEqual(['R57'])
    expect(codeOf(content({ display: 'x' }))).toEqual(['R57'])
    expect(codeOf(slotted('urn:ita:2022:administrativeRequest', 'SSN^x'))).toEqual(['R57'])
    expect(codeOf(coded('typeCode', { display: 'x' }))).toEqual(['R56'])
    expect(told(coded('classCode', { display: 'x' })).map(({ code }) => code)).toEqual([metadataError])
  })

  it('repeats no value of the metadata', () => {
    const secret = 'RSSMRA75C03F839K'
    const everything = inOrder(
      has({ uniqueId: secret, sourcePatientId: secret, hash: secret, mimeType: secret, languageCode: `${secret}!` }),
      refers(secret),
      coded('typeCode', { code: secret, display: secret }),
      events(event(secret)),
      wrote({ persons: [secret], institutions: [secret], roles: [secret] }),
      slotted('urn:ita:2022:description', secret),
      setHas({ uniqueId: secret, sourceId: secret, patientId: { ...otherCitizen, value: secret } }),
    )
    const issues = told(everything)
    expect(issues.length).toBeGreaterThan(12)
    expect(JSON.stringify(issues)).not.toContain(secret)
  })
})
