import { type Code, type CodeQuery, matchesCode } from './code.ts'
import { like } from './like.ts'
import type { DocumentEntry } from './metadata.ts'
import type { AllOfAnyOf, AnyOf, DocumentFilter } from './stored-query.ts'
import { inRange, type TimeRange, type Timestamp } from './timestamp.ts'

/**
 * Whether a registry that holds the entry would find it (ITI TF-2: 3.18.4.1.2.3.7.1). What is not asked for excludes
 * nothing, save that only stable documents are found when no kind is named.
 */
export function matchesFilter(entry: DocumentEntry, filter: DocumentFilter): boolean {
  return (
    (filter.kinds ?? ['stable']).includes(entry.kind) &&
    isOneOf(entry.classCode, filter.classCodes) &&
    isOneOf(entry.typeCode, filter.typeCodes) &&
    isOneOf(entry.practiceSettingCode, filter.practiceSettingCodes) &&
    isOneOf(entry.healthcareFacilityTypeCode, filter.healthcareFacilityTypeCodes) &&
    isOneOf(entry.formatCode, filter.formatCodes) &&
    hasAll(entry.eventCodes, filter.eventCodes) &&
    hasAll(entry.confidentialityCodes, filter.confidentialityCodes) &&
    hasAuthor(entry, filter.authorPersons) &&
    isCreatedIn(entry, filter.creationTime) &&
    isServedIn(entry.serviceStartTime, filter.serviceStartTime) &&
    isServedIn(entry.serviceStopTime, filter.serviceStopTime)
  )
}

/** Whether the entry refers to one id of every group, spelled exactly so (FindDocumentsByReferenceId). */
export function matchesReferenceIds(entry: DocumentEntry, groups: AllOfAnyOf<string>): boolean {
  return groups.every((group) => group.some((id) => entry.referenceIds.includes(id)))
}

function isOneOf(code: Code | undefined, wanted: AnyOf<CodeQuery> | undefined): boolean {
  if (wanted === undefined) return true
  return code !== undefined && wanted.some((one) => matchesCode(code, one))
}

function hasAll(codes: readonly Code[], groups: AllOfAnyOf<CodeQuery> | undefined): boolean {
  return groups?.every((group) => codes.some((code) => isOneOf(code, group))) ?? true
}

function hasAuthor({ authors }: DocumentEntry, patterns: AnyOf<string> | undefined): boolean {
  if (patterns === undefined) return true
  return authors.some(({ persons }) => persons.some((person) => patterns.some((pattern) => like(pattern, person))))
}

/** An on-demand document has no creation time before it is made, and is not excluded for it. */
function isCreatedIn({ kind, creationTime }: DocumentEntry, range: TimeRange | undefined): boolean {
  if (range === undefined || kind === 'on-demand') return true
  return creationTime !== undefined && inRange(creationTime, range)
}

/** A document that tells no service time is not excluded for it. */
function isServedIn(time: Timestamp | undefined, range: TimeRange | undefined): boolean {
  return range === undefined || time === undefined || inRange(time, range)
}
