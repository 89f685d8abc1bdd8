import { stable, statusPrefix } from './ebrim.ts'
import type { Association, Code, Entry, Folder, Holdings, Identifier, SubmissionSet } from './entry.ts'
import { associationType, cx, readCx } from './entry.ts'
import type { AskedQuery } from './stored-query.ts'

const doc = '$XDSDocumentEntry'
const set = '$XDSSubmissionSet'
const folder = '$XDSFolder'

/** How a registry reads what it knows. */
export interface View {
  readonly holdings: Holdings
  /** The identifiers a question under one of them is about; a plain registry knows one identifier at a time. */
  readonly under?: (asked: Identifier) => readonly Identifier[]
  /** What the asker may not learn to exist. */
  readonly withhold?: (entry: Entry) => boolean
}

/** Answers the fourteen stored queries over what a registry knows (ITI TF-2: 3.18.4.1.2.3.7). */
export function answer(asked: AskedQuery, { holdings, under = (id) => [id], withhold = () => false }: View): Holdings {
  const visible = withoutTraceOf(holdings, withhold)
  const values = (name: string): readonly string[] => asked.parameters.get(name)?.flat() ?? []
  const patients = (name: string): ReadonlySet<string> => {
    const id = readCx(values(name)[0] ?? '')
    return new Set(id === undefined ? [] : under(id).map(cx))
  }
  const find = (patientParameter: string): readonly Entry[] => {
    const wanted = patients(patientParameter)
    return visible.entries.filter((entry) => wanted.has(cx(entry.patient)) && matchesDocument(entry, asked))
  }
  const keyed = <T extends Entry | SubmissionSet | Folder>(objects: readonly T[], prefix: string): readonly T[] => {
    const [ids, uniqueIds, logicalIds] = ['EntryUUID', 'UniqueId', 'LogicalID'].map((key) => values(prefix + key))
    return objects.filter(
      (object) =>
        ids?.includes(object.entryUuid) ||
        uniqueIds?.includes(object.uniqueId) ||
        ('logicalId' in object && logicalIds?.includes(object.logicalId)),
    )
  }
  const touching = (ids: readonly string[]): readonly Association[] =>
    visible.associations.filter(({ source, target }) => ids.includes(source) || ids.includes(target))
  const membersOf = (id: string): readonly Association[] =>
    visible.associations.filter(({ type, source }) => type === associationType.hasMember && source === id)

  switch (asked.name) {
    case 'FindDocuments':
    case 'FindDocumentsByReferenceId':
      return told({ entries: find(`${doc}PatientId`) })
    case 'FindSubmissionSets': {
      const wanted = patients(`${set}PatientId`)
      return told({
        submissionSets: visible.submissionSets.filter(
          (one) => wanted.has(cx(one.patient)) && matchesSubmissionSet(one, asked),
        ),
      })
    }
    case 'FindFolders': {
      const wanted = patients(`${folder}PatientId`)
      return told({
        folders: visible.folders.filter((one) => wanted.has(cx(one.patient)) && matchesFolder(one, asked)),
      })
    }
    case 'GetAll': {
      const wanted = patients('$patientId')
      const entries = find('$patientId')
      const sets = visible.submissionSets.filter((one) => wanted.has(cx(one.patient)) && hasStatus(one, asked, set))
      const folders = visible.folders.filter((one) => wanted.has(cx(one.patient)) && hasStatus(one, asked, folder))
      const ids = new Set([...entries, ...sets, ...folders].map((object) => object.entryUuid))
      const between = visible.associations.filter(({ source, target }) => ids.has(source) && ids.has(target))
      return told({ entries, submissionSets: sets, folders, associations: between })
    }
    case 'GetDocuments':
      return told({ entries: keyed(visible.entries, doc) })
    case 'GetFolders':
      return told({ folders: keyed(visible.folders, folder) })
    case 'GetAssociations':
      return told({ associations: touching(values('$uuid')) })
    case 'GetDocumentsAndAssociations': {
      const entries = keyed(visible.entries, doc)
      return told({ entries, associations: touching(entries.map((entry) => entry.entryUuid)) })
    }
    case 'GetSubmissionSets': {
      const ids = values('$uuid')
      const sets = new Map(visible.submissionSets.map((one) => [one.entryUuid, one]))
      const associations = visible.associations.filter(
        ({ type, source, target }) => type === associationType.hasMember && sets.has(source) && ids.includes(target),
      )
      const found = new Set(associations.map(({ source }) => source))
      return told({ submissionSets: visible.submissionSets.filter((one) => found.has(one.entryUuid)), associations })
    }
    case 'GetSubmissionSetAndContents': {
      const [one] = keyed(visible.submissionSets, set)
      if (one === undefined) return told({})
      const entries = members(visible.entries, membersOf(one.entryUuid)).filter((entry) => matchesContent(entry, asked))
      const folders = members(visible.folders, membersOf(one.entryUuid))
      return told({
        submissionSets: [one],
        entries,
        folders,
        associations: leadingTo(membersOf(one.entryUuid), [...entries, ...folders]),
      })
    }
    case 'GetFolderAndContents': {
      const [one] = keyed(visible.folders, folder)
      if (one === undefined) return told({})
      const entries = members(visible.entries, membersOf(one.entryUuid)).filter((entry) => matchesContent(entry, asked))
      return told({ folders: [one], entries, associations: leadingTo(membersOf(one.entryUuid), entries) })
    }
    case 'GetFoldersForDocument': {
      const ids = keyed(visible.entries, doc).map((entry) => entry.entryUuid)
      const holding = new Set(
        visible.associations
          .filter(({ type, target }) => type === associationType.hasMember && ids.includes(target))
          .map(({ source }) => source),
      )
      return told({ folders: visible.folders.filter((one) => holding.has(one.entryUuid)) })
    }
    case 'GetRelatedDocuments': {
      const start = new Set(keyed(visible.entries, doc).map((entry) => entry.entryUuid))
      const types = values('$AssociationTypes')
      const documents = new Set(visible.entries.map((entry) => entry.entryUuid))
      const associations = visible.associations.filter(
        ({ type, source, target }) =>
          types.includes(type) &&
          documents.has(source) &&
          documents.has(target) &&
          (start.has(source) || start.has(target)),
      )
      const related = new Set(associations.flatMap(({ source, target }) => [source, target]))
      const entries = visible.entries.filter((entry) => related.has(entry.entryUuid) && isOfWantedKind(asked))
      return told({ entries, associations })
    }
  }
}

function told(some: Partial<Holdings>): Holdings {
  return { entries: [], submissionSets: [], folders: [], associations: [], ...some }
}

/** As if the withheld documents had never been registered: no association leads to them, no submission was theirs alone. */
function withoutTraceOf(holdings: Holdings, withhold: (entry: Entry) => boolean): Holdings {
  const hidden = new Set(holdings.entries.filter(withhold).map((entry) => entry.entryUuid))
  if (hidden.size === 0) return holdings
  const associations = holdings.associations.filter(({ source, target }) => !hidden.has(source) && !hidden.has(target))
  const sources = new Set(associations.map(({ source }) => source))
  return {
    entries: holdings.entries.filter((entry) => !hidden.has(entry.entryUuid)),
    submissionSets: holdings.submissionSets.filter((one) => sources.has(one.entryUuid)),
    folders: holdings.folders.filter((one) => sources.has(one.entryUuid)),
    associations,
  }
}

function members<T extends { readonly entryUuid: string }>(
  objects: readonly T[],
  of: readonly Association[],
): readonly T[] {
  const ids = new Set(of.map(({ target }) => target))
  return objects.filter((object) => ids.has(object.entryUuid))
}

function leadingTo(associations: readonly Association[], objects: readonly { readonly entryUuid: string }[]) {
  const ids = new Set(objects.map((object) => object.entryUuid))
  return associations.filter(({ target }) => ids.has(target))
}

function matchesDocument(entry: Entry, asked: AskedQuery): boolean {
  return (
    hasStatus(entry, asked, doc) &&
    isOfWantedKind(asked) &&
    (
      [
        ['ClassCode', [entry.classCode]],
        ['TypeCode', [entry.typeCode]],
        ['PracticeSettingCode', [entry.practiceSetting]],
        ['HealthcareFacilityTypeCode', [entry.facilityType]],
        ['FormatCode', [entry.formatCode]],
        ['ConfidentialityCode', [entry.confidentiality]],
        ['EventCodeList', entry.events],
      ] as const
    ).every(([name, codes]) => matchesCodes(codes, asked, doc + name)) &&
    (asked.parameters.get(`${doc}ReferenceIdList`) ?? []).every((group) =>
      group.some((wanted) => entry.references.includes(wanted)),
    ) &&
    matchesLike(asked, `${doc}AuthorPerson`, authorText(entry)) &&
    inRange(asked, `${doc}CreationTime`, entry.creationTime) &&
    inRange(asked, `${doc}ServiceStartTime`, entry.serviceStartTime) &&
    inRange(asked, `${doc}ServiceStopTime`, entry.serviceStopTime)
  )
}

function matchesContent(entry: Entry, asked: AskedQuery): boolean {
  return (
    isOfWantedKind(asked) &&
    matchesCodes([entry.formatCode], asked, `${doc}FormatCode`) &&
    matchesCodes([entry.confidentiality], asked, `${doc}ConfidentialityCode`)
  )
}

function matchesSubmissionSet(one: SubmissionSet, asked: AskedQuery): boolean {
  const sources = asked.parameters.get(`${set}SourceId`)?.flat()
  return (
    hasStatus(one, asked, set) &&
    (sources === undefined || sources.includes(one.sourceId)) &&
    matchesCodes([one.contentType], asked, `${set}ContentType`) &&
    matchesLike(asked, `${set}AuthorPerson`, authorText(one)) &&
    inRange(asked, `${set}SubmissionTime`, one.submissionTime)
  )
}

function matchesFolder(one: Folder, asked: AskedQuery): boolean {
  return (
    hasStatus(one, asked, folder) &&
    matchesCodes(one.codes, asked, `${folder}CodeList`) &&
    inRange(asked, `${folder}LastUpdateTime`, one.lastUpdateTime)
  )
}

function hasStatus({ status }: { readonly status: string }, asked: AskedQuery, prefix: string): boolean {
  return (
    asked.parameters
      .get(`${prefix}Status`)
      ?.flat()
      .includes(statusPrefix + status) ?? false
  )
}

/** Every document here is stable, which is also what is meant when nobody says. */
function isOfWantedKind(asked: AskedQuery): boolean {
  return asked.parameters.get(`${doc}Type`)?.flat().includes(stable) ?? true
}

/** Any code of each group; a code asked for without its scheme matches in all. */
function matchesCodes(codes: readonly Code[], asked: AskedQuery, name: string): boolean {
  return (asked.parameters.get(name) ?? []).every((group) =>
    group.some((wanted) => codes.some(({ code, scheme }) => wanted === `${code}^^${scheme}` || wanted === code)),
  )
}

function matchesLike(asked: AskedQuery, name: string, text: string): boolean {
  const patterns = asked.parameters.get(name)?.flat()
  return patterns === undefined || patterns.some((pattern) => isLike(text, pattern))
}

/** `%` is any run of characters, `_` any one. */
function isLike(text: string, pattern: string): boolean {
  const escaped = pattern
    .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.')
  return new RegExp(`^${escaped}$`, 's').test(text)
}

function authorText({ author }: Pick<SubmissionSet, 'author'>): string {
  if (author === undefined) return ''
  const { person, name } = author
  return `${person.value}^${name?.family ?? ''}^${name?.given ?? ''}^^^^^^&${person.authority}&ISO`
}

/** From (included) and to (excluded); coarse times mean their first second. */
function inRange(asked: AskedQuery, prefix: string, time: string): boolean {
  const bound = (end: string): string | undefined => asked.parameters.get(prefix + end)?.[0]?.[0]
  const full = (text: string): string => text + '00000101000000'.slice(text.length)
  const [from, to] = [bound('From'), bound('To')]
  return (from === undefined || full(from) <= time) && (to === undefined || time < full(to))
}
