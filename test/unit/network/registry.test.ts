import { describe, expect, it } from 'vitest'
import { citizens } from '../../network/citizens.ts'
import { associationType, cx, type Entry, isObscured } from '../../network/entry.ts'
import { answer } from '../../network/registry.ts'
import { sow } from '../../network/seed.ts'
import { adhocQuery, type QueryOptions, type QueryParameters } from '../../network/soap-client.ts'
import { type QueryName, RegistryProblem, readStoredQuery } from '../../network/stored-query.ts'
import { parseXml } from '../../network/xml.ts'

const { holdings: everything } = sow()
const holdings = everything.tuscany
const about = cx(citizens.tuscan.identifiers[0])
const mine = holdings.entries.filter(({ patient }) => cx(patient) === about)
const approved = ['urn:oasis:names:tc:ebxml-regrep:StatusType:Approved']
const both = [...approved, 'urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated']

const read = (name: QueryName, parameters: QueryParameters, options?: QueryOptions) =>
  readStoredQuery(parseXml(adhocQuery(name, parameters, options)), 'strict')
const ask = (name: QueryName, parameters: QueryParameters) => answer(read(name, parameters), { holdings })
const find = (more: QueryParameters = {}, name: QueryName = 'FindDocuments') =>
  ask(name, { $XDSDocumentEntryPatientId: about, $XDSDocumentEntryStatus: approved, ...more }).entries
const where = (condition: (entry: Entry) => boolean) =>
  mine.filter((entry) => entry.status === 'Approved' && condition(entry))
const first = mine[0] as Entry
const replacement = holdings.associations.find(({ type }) => type === associationType.replaces)
const [folder] = holdings.folders

describe('FindDocuments', () => {
  it('finds by patient and status', () => {
    expect(find()).toEqual(where(() => true))
    expect(find({ $XDSDocumentEntryStatus: both })).toEqual(mine)
    expect(find({ $XDSDocumentEntryStatus: ['urn:oasis:names:tc:ebxml-regrep:StatusType:Submitted'] })).toEqual([])
  })

  it('finds by every code, any of several', () => {
    const code = ({ code, scheme }: Entry['classCode']) => `${code}^^${scheme}`
    expect(find({ $XDSDocumentEntryClassCode: [code(first.classCode)] })).toEqual(
      where(({ classCode }) => classCode.code === first.classCode.code),
    )
    expect(
      find({ $XDSDocumentEntryTypeCode: ['11502-2^^2.16.840.1.113883.6.1', '68604-8^^2.16.840.1.113883.6.1'] }),
    ).toEqual(where(({ typeCode }) => ['11502-2', '68604-8'].includes(typeCode.code)))
    expect(find({ $XDSDocumentEntryTypeCode: ['11502-2^^1.2.3'] })).toEqual([])
    expect(find({ $XDSDocumentEntryFormatCode: [code(first.formatCode)] })).toEqual(
      where(({ formatCode }) => formatCode.code === first.formatCode.code),
    )
    expect(find({ $XDSDocumentEntryPracticeSettingCode: [code(first.practiceSetting)] })).toEqual(
      where(({ practiceSetting }) => practiceSetting.code === first.practiceSetting.code),
    )
    expect(find({ $XDSDocumentEntryHealthcareFacilityTypeCode: [code(first.facilityType)] })).toEqual(
      where(({ facilityType }) => facilityType.code === first.facilityType.code),
    )
    expect(find({ $XDSDocumentEntryConfidentialityCode: ['V^^2.16.840.1.113883.5.25'] })).toEqual(
      where(({ confidentiality }) => confidentiality.code === 'V'),
    )
    expect(find({ $XDSDocumentEntryEventCodeList: ['P99^^2.16.840.1.113883.2.9.3.3.6.1.3'] })).toEqual(
      where(isObscured),
    )
  })

  it('takes a second slot of one name as a second condition', () => {
    const slot = (code: string) =>
      `<rim:Slot name="$XDSDocumentEntryEventCodeList"><rim:ValueList><rim:Value>('${code}^^2.16.840.1.113883.2.9.3.3.6.1.3')</rim:Value></rim:ValueList></rim:Slot>`
    const asked = adhocQuery('FindDocuments', { $XDSDocumentEntryPatientId: about, $XDSDocumentEntryStatus: approved })
    const twice = (one: string, other: string) =>
      answer(
        readStoredQuery(
          parseXml(asked.replace('</rim:AdhocQuery>', `${slot(one)}${slot(other)}</rim:AdhocQuery>`)),
          'strict',
        ),
        { holdings },
      ).entries
    expect(twice('P99', 'P99')).toEqual(where(isObscured))
    expect(twice('P99', 'P00')).toEqual([])
  })

  it('finds by times, half open, and coarse ones by their beginning', () => {
    const time = first.creationTime
    expect(find({ $XDSDocumentEntryCreationTimeFrom: '2024' })).toEqual(
      where(({ creationTime }) => creationTime >= '2024'),
    )
    expect(find({ $XDSDocumentEntryCreationTimeTo: '2016' })).toEqual(
      where(({ creationTime }) => creationTime < '2016'),
    )
    expect(find({ $XDSDocumentEntryCreationTimeFrom: time }).includes(first)).toBe(true)
    expect(find({ $XDSDocumentEntryCreationTimeTo: time }).includes(first)).toBe(false)
    expect(find({ $XDSDocumentEntryServiceStartTimeFrom: '2020', $XDSDocumentEntryServiceStopTimeTo: '2021' })).toEqual(
      where(({ serviceStartTime, serviceStopTime }) => serviceStartTime >= '2020' && serviceStopTime < '2021'),
    )
  })

  it('finds authors by patterns', () => {
    const named = where(({ author }) => author.name?.family === 'Neri')
    expect(named.length).toBeGreaterThan(0)
    expect(find({ $XDSDocumentEntryAuthorPerson: ['%^Neri^%'] })).toEqual(named)
    expect(find({ $XDSDocumentEntryAuthorPerson: ['%^Ner_^%'] })).toEqual(named)
    expect(find({ $XDSDocumentEntryAuthorPerson: ['Neri'] })).toEqual([])
  })

  it('knows stable documents only', () => {
    expect(find({ $XDSDocumentEntryType: ['urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248'] })).toEqual([])
    expect(find({ $XDSDocumentEntryType: ['urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1'] }).length).toBe(
      where(() => true).length,
    )
  })

  it('finds by reference id', () => {
    const cited = where(({ references }) => references.length > 0)[0]
    const found = find({ $XDSDocumentEntryReferenceIdList: [cited?.references[0] ?? ''] }, 'FindDocumentsByReferenceId')
    expect(found).toContain(cited)
    expect(found.every(({ references }) => references[0] === cited?.references[0])).toBe(true)
  })
})

describe('the other queries', () => {
  it('find submission sets and folders of a patient', () => {
    const sets = ask('FindSubmissionSets', {
      $XDSSubmissionSetPatientId: about,
      $XDSSubmissionSetStatus: approved,
    }).submissionSets
    expect(sets.length).toBe(mine.length)
    const narrowed = ask('FindSubmissionSets', {
      $XDSSubmissionSetPatientId: about,
      $XDSSubmissionSetStatus: approved,
      $XDSSubmissionSetSourceId: ['2.16.840.1.113883.2.9.2.50'],
      $XDSSubmissionSetSubmissionTimeFrom: '2015',
    }).submissionSets
    expect(narrowed).toEqual(
      sets.filter(({ sourceId, submissionTime }) => sourceId.endsWith('.50') && submissionTime >= '2015'),
    )
    expect(ask('FindFolders', { $XDSFolderPatientId: about, $XDSFolderStatus: approved }).folders).toEqual(
      holdings.folders,
    )
  })

  it('get everything, with the associations between what is got', () => {
    const statuses = { $XDSDocumentEntryStatus: both, $XDSSubmissionSetStatus: approved, $XDSFolderStatus: approved }
    const all = ask('GetAll', { $patientId: about, ...statuses })
    expect(all.entries).toEqual(mine)
    expect(all.folders).toEqual(holdings.folders)
    const ids = new Set([...all.entries, ...all.submissionSets, ...all.folders].map(({ entryUuid }) => entryUuid))
    expect(all.associations.every(({ source, target }) => ids.has(source) && ids.has(target))).toBe(true)
    expect(all.associations.length).toBeGreaterThan(mine.length)
  })

  it('get documents by each of their ids', () => {
    const { entryUuid, uniqueId, logicalId } = first
    expect(ask('GetDocuments', { $XDSDocumentEntryEntryUUID: [entryUuid] }).entries).toEqual([first])
    expect(ask('GetDocuments', { $XDSDocumentEntryUniqueId: [uniqueId] }).entries).toEqual([first])
    expect(ask('GetDocuments', { $XDSDocumentEntryLogicalID: [logicalId] }).entries).toEqual([first])
    const versions = mine.filter(({ version }) => version === '2')[0]
    expect(
      ask('GetDocuments', { $XDSDocumentEntryUniqueId: [versions?.uniqueId ?? ''] }).entries.map(
        ({ version }) => version,
      ),
    ).toEqual(['1', '2'])
  })

  it('get folders, submission sets and associations around a document', () => {
    const member = folder && holdings.associations.find(({ source }) => source === folder.entryUuid)?.target
    expect(ask('GetFolders', { $XDSFolderUniqueId: [folder?.uniqueId ?? ''] }).folders).toEqual([folder])
    expect(ask('GetFoldersForDocument', { $XDSDocumentEntryEntryUUID: member ?? '' }).folders).toEqual([folder])
    const around = ask('GetAssociations', { $uuid: [first.entryUuid] }).associations
    expect(around.length).toBe(1)
    expect(ask('GetSubmissionSets', { $uuid: [first.entryUuid] })).toMatchObject({
      submissionSets: [{ entryUuid: around[0]?.source }],
      associations: around,
    })
    const withLinks = ask('GetDocumentsAndAssociations', { $XDSDocumentEntryUniqueId: [first.uniqueId] })
    expect(withLinks).toMatchObject({ entries: [first], associations: around })
  })

  it('get the contents of a submission set and of a folder, narrowed by format', () => {
    const set = holdings.associations.find(({ target }) => target === first.entryUuid)?.source ?? ''
    expect(ask('GetSubmissionSetAndContents', { $XDSSubmissionSetEntryUUID: set })).toMatchObject({
      submissionSets: [{ entryUuid: set }],
      entries: [first],
    })
    const format = [`${first.formatCode.code}^^${first.formatCode.scheme}`]
    expect(
      ask('GetSubmissionSetAndContents', { $XDSSubmissionSetEntryUUID: set, $XDSDocumentEntryFormatCode: format })
        .entries,
    ).toEqual([first])
    expect(
      ask('GetSubmissionSetAndContents', {
        $XDSSubmissionSetEntryUUID: set,
        $XDSDocumentEntryFormatCode: ['none^^1.2'],
      }).entries,
    ).toEqual([])
    const contents = ask('GetFolderAndContents', { $XDSFolderEntryUUID: folder?.entryUuid ?? '' })
    expect(contents.folders).toEqual([folder])
    expect(contents.entries.length).toBe(5)
    expect(contents.associations.length).toBe(5)
  })

  it('get what a document replaces and is replaced by', () => {
    const related = ask('GetRelatedDocuments', {
      $XDSDocumentEntryEntryUUID: replacement?.target ?? '',
      $AssociationTypes: [associationType.replaces],
    })
    expect(related.associations).toContain(replacement)
    expect(related.entries.map(({ entryUuid }) => entryUuid)).toEqual(
      expect.arrayContaining([replacement?.source, replacement?.target]),
    )
    expect(
      ask('GetRelatedDocuments', {
        $XDSDocumentEntryEntryUUID: replacement?.target ?? '',
        $AssociationTypes: ['urn:ihe:iti:2007:AssociationType:APND'],
      }),
    ).toMatchObject({ entries: [], associations: [] })
  })

  it('leave no trace of what is withheld', () => {
    const hidden = where(isObscured)
    const withheld = { holdings, withhold: isObscured }
    const ids = hidden.map(({ entryUuid }) => entryUuid)
    const statuses = { $XDSDocumentEntryStatus: both, $XDSSubmissionSetStatus: approved, $XDSFolderStatus: approved }
    const all = answer(read('GetAll', { $patientId: about, ...statuses }), withheld)
    expect(all.entries.length).toBe(mine.length - hidden.length)
    expect(all.submissionSets.length).toBe(mine.length - hidden.length)
    expect(all.associations.some(({ target }) => ids.includes(target))).toBe(false)
    expect(answer(read('GetAssociations', { $uuid: ids }), withheld).associations).toEqual([])
    expect(answer(read('GetSubmissionSets', { $uuid: ids }), withheld).submissionSets).toEqual([])
  })
})

describe('reading a query', () => {
  const required = { $XDSDocumentEntryPatientId: about, $XDSDocumentEntryStatus: approved }
  const problem = (
    name: QueryName,
    parameters: QueryParameters,
    options?: QueryOptions,
    manner: 'strict' | 'tolerant' = 'strict',
  ) => {
    try {
      readStoredQuery(parseXml(adhocQuery(name, parameters, options)), manner)
      return 'none'
    } catch (error) {
      return error instanceof RegistryProblem ? error.code : String(error)
    }
  }

  it('asks for what is required, once', () => {
    expect(problem('FindDocuments', { $XDSDocumentEntryPatientId: about })).toBe('XDSStoredQueryMissingParam')
    expect(problem('FindDocuments', { $XDSDocumentEntryStatus: approved })).toBe('XDSStoredQueryMissingParam')
    expect(problem('GetAll', { $patientId: about, $XDSDocumentEntryStatus: approved })).toBe(
      'XDSStoredQueryMissingParam',
    )
    expect(problem('GetDocuments', {})).toBe('XDSStoredQueryMissingParam')
    expect(problem('GetDocuments', { $XDSDocumentEntryEntryUUID: ['1'], $XDSDocumentEntryUniqueId: ['2'] })).toBe(
      'XDSStoredQueryParamNumber',
    )
    expect(problem('GetRelatedDocuments', { $XDSDocumentEntryUniqueId: '1' })).toBe('XDSStoredQueryMissingParam')
    expect(problem('FindDocuments', { ...required, $XDSDocumentEntryCreationTimeFrom: ['2020'] })).toBe(
      'XDSRegistryError',
    )
  })

  it('knows its queries and kinds of return', () => {
    expect(problem('FindDocuments', required, { id: 'urn:uuid:00000000-0000-4000-8000-000000000000' })).toBe(
      'XDSUnknownStoredQuery',
    )
    expect(problem('FindDocuments', required, { returnType: 'LeafClassWithRepositoryItem' })).toBe('XDSRegistryError')
    expect(problem('FindDocuments', { ...required, $Unknown: ['x'] })).toBe('none')
  })

  it('is strict or tolerant about quotes, schemes and lists', () => {
    const raw = (more: QueryParameters) => ({
      $XDSDocumentEntryPatientId: `'${about}'`,
      $XDSDocumentEntryStatus: [`('${approved[0]}')`],
      ...more,
    })
    const cases: readonly [QueryParameters, string][] = [
      [raw({}), 'none'],
      [raw({ $XDSDocumentEntryPatientId: about }), 'XDSRegistryError'],
      [raw({ $XDSDocumentEntryEventCodeList: ['P99'] }), 'XDSRegistryError'],
      [raw({ $XDSDocumentEntryEventCodeList: ["('P99')"] }), 'XDSRegistryError'],
      [raw({ $XDSDocumentEntryTypeCode: ["'11502-2^^2.16.840.1.113883.6.1'"] }), 'XDSRegistryError'],
      [raw({ $XDSDocumentEntryCreationTimeFrom: '2024' }), 'none'],
      [raw({ $XDSDocumentEntryCreationTimeFrom: "'2024'" }), 'none'],
      [raw({ $XDSDocumentEntryCreationTimeFrom: '24' }), 'XDSRegistryError'],
    ]
    for (const [parameters, code] of cases) {
      expect(problem('FindDocuments', parameters, { raw: true })).toBe(code)
      if (code !== 'none' && parameters.$XDSDocumentEntryCreationTimeFrom === undefined) {
        expect(problem('FindDocuments', parameters, { raw: true }, 'tolerant')).toBe('none')
      }
    }
    expect(problem('FindDocuments', raw({ $XDSDocumentEntryTypeCode: ["('a^^1'"] }), { raw: true }, 'tolerant')).toBe(
      'XDSRegistryError',
    )
  })

  it('reads doubled quotes, and several values in one list', () => {
    const asked = readStoredQuery(
      parseXml(adhocQuery('GetAssociations', { $uuid: ["('it''s','a,b')", "('c')"] }, { raw: true })),
      'strict',
    )
    expect(asked.parameters.get('$uuid')).toEqual([["it's", 'a,b', 'c']])
  })
})
