import type { Code } from '../../src/core/model/code.ts'
import type { DocumentEntry, SubmissionSet } from '../../src/core/model/metadata.ts'
import {
  codeIn,
  type Displays,
  displayedBy,
  displaysOf,
  missing,
  not,
  ofScheme,
  optional,
  type Predicate,
  type Reading,
  some,
} from '../../src/core/policy/metadata-predicates.ts'
import type { EntryRule, SubmissionSetRule } from '../../src/core/policy/metadata-rules.ts'
import { confidentialityCodes, confidentialityScheme } from './confidentiality-codes.ts'
import { contentTypeCodes, contentTypeScheme } from './content-types.ts'
import { classCodes, classScheme } from './document-classes.ts'
import { documentTypeTable, formerDocumentTypes, loinc, typeCodes } from './document-types.ts'
import { formatCodes, formatScheme } from './format-codes.ts'
import {
  classOfFormerType,
  contentTypeSpellings,
  formerFormats,
  formerPracticeSettings,
  otherDisplays,
} from './former-values.ts'
import { eventRules } from './metadata-events.ts'
import { error, type RuleCodes, warning } from './rule-codes.ts'
import { facilityTypeCodes, facilityTypeScheme, practiceSettingCodes, practiceSettingScheme } from './settings.ts'

type Table = Readonly<Record<string, string>>

const typeCode = optional((entry: DocumentEntry) => entry.typeCode)
const classCode = optional((entry: DocumentEntry) => entry.classCode)
const confidentiality: Reading<DocumentEntry, Code> = (entry) => entry.confidentialityCodes
const contentType = optional((set: SubmissionSet) => set.contentTypeCode)

const everyTypeCode: Table = {
  ...typeCodes,
  ...Object.fromEntries(Object.entries(formerDocumentTypes).map(([code, { display }]) => [code, display])),
}
const facilityTypes: Table = Object.fromEntries(facilityTypeCodes.map((code) => [code, code]))

/** A classification that must be there, with a code of its value set. */
interface Classification<T> {
  readonly name: string
  /** As it is told: `DocumentEntry.typeCode`. */
  readonly attribute: string
  readonly read: Reading<T, Code>
  readonly scheme: string
  readonly displays: Displays
  /** Codes that are let in with a warning. */
  readonly former?: readonly string[]
  readonly source: string
  /** Where the sources number a wrong value. */
  readonly value?: Pick<EntryRule, 'code' | 'text'>
  readonly display: Pick<EntryRule, 'code' | 'severity'>
}

type Unplaced<T> = Omit<EntryRule, 'appliesTo' | 'fails'> & { readonly fails: Predicate<T> }

function classificationRules<T>(classification: Classification<T>): Unplaced<T>[] {
  const { name, attribute, read, source, former = [], scheme } = classification
  const known = codeIn([...classification.displays.keys(), ...former])
  const rules: Unplaced<T>[] = [
    {
      ...error,
      name: `${name}-missing`,
      text: `Missing ${attribute} ({id})`,
      source: `${source}; ITI TF-3: Table 4.3.1-3`,
      fails: missing(read),
    },
    {
      ...error,
      name: `${name}-scheme`,
      text: `Wrong coding scheme of ${attribute} ({id})`,
      source: `${source}; ini.md §3.1`,
      fails: some(read, not(ofScheme(scheme))),
    },
    {
      ...error,
      text: `Wrong value of ${attribute} ({id})`,
      ...classification.value,
      name: `${name}-value`,
      source,
      fails: some(read, not(known)),
    },
    {
      ...classification.display,
      name: `${name}-display`,
      text: `Wrong format data of display name for ${attribute} ({id})`,
      source: `${source}; ini.md §4`,
      fails: some(read, not(displayedBy(classification.displays))),
    },
  ]
  if (former.length === 0) return rules
  const outdated: Unplaced<T> = {
    ...warning,
    name: `${name}-former`,
    text: `Obsolete value of ${attribute} ({id})`,
    source,
    fails: some(read, codeIn(former)),
  }
  return [...rules, outdated]
}

function entryClassifications({ display: displayCode }: RuleCodes): readonly Classification<DocumentEntry>[] {
  const display = { code: displayCode, severity: 'error' } as const
  return [
    {
      name: 'type-code',
      attribute: 'DocumentEntry.typeCode',
      read: typeCode,
      scheme: loinc,
      displays: displaysOf(everyTypeCode, otherDisplays.typeCode),
      source: 'ini.md §4.1, §6.1 (R56: #1373, #1147)',
      display: { code: 'R56', severity: 'error' },
    },
    {
      name: 'class-code',
      attribute: 'DocumentEntry.classCode',
      read: classCode,
      scheme: classScheme,
      displays: displaysOf(classCodes, otherDisplays.classCode),
      source: 'ini.md §4.2',
      display,
    },
    {
      name: 'format-code',
      attribute: 'DocumentEntry.formatCode',
      read: optional((entry) => entry.formatCode),
      scheme: formatScheme,
      displays: displaysOf(formatCodes, otherDisplays.formatCode),
      former: formerFormats,
      source: 'ini.md §4.3',
      display,
    },
    {
      name: 'facility-type-code',
      attribute: 'DocumentEntry.healthcareFacilityTypeCode',
      read: optional((entry) => entry.healthcareFacilityTypeCode),
      scheme: facilityTypeScheme,
      displays: displaysOf(facilityTypes),
      source: 'ini.md §4.10, §6.1 (#802)',
      value: { code: 'R50', text: 'Wrong value of DocumentEntry.healthcareFacilityCode' },
      display,
    },
    {
      name: 'practice-setting-code',
      attribute: 'DocumentEntry.practiceSettingCode',
      read: optional((entry) => entry.practiceSettingCode),
      scheme: practiceSettingScheme,
      displays: displaysOf(practiceSettingCodes, otherDisplays.practiceSettingCode),
      former: formerPracticeSettings,
      source: 'ini.md §4.10 (#613)',
      display,
    },
    {
      name: 'confidentiality-code',
      attribute: 'DocumentEntry.confidentialityCode',
      read: confidentiality,
      scheme: confidentialityScheme,
      displays: displaysOf(confidentialityCodes),
      source: 'ini.md §4.4',
      // The national gateway copies this display from the document, where it is anybody's.
      display: { code: displayCode, severity: 'warning' },
    },
  ]
}

const classOf: ReadonlyMap<string, string | undefined> = new Map([
  ...documentTypeTable.map(({ code, classCode }) => [code, classCode] as const),
  ...Object.entries(classOfFormerType),
])

/** Both codes are known, and the correlation table gives the type another class. */
function hasOtherClass(entry: DocumentEntry): boolean {
  const [type] = typeCode(entry)
  const [told] = classCode(entry)
  const right = type === undefined ? undefined : classOf.get(type.code)
  return right !== undefined && told !== undefined && told.code !== right && Object.hasOwn(classCodes, told.code)
}

/** Rules about the classifications of entries: value sets, schemes and displays, and which codes go together. */
export function entryCodeRules(codes: RuleCodes): readonly EntryRule[] {
  return [
    ...entryClassifications(codes).flatMap((one) =>
      classificationRules(one).map((rule): EntryRule => ({ ...rule, appliesTo: 'entry' })),
    ),
    {
      ...error,
      name: 'class-of-type',
      text: 'DocumentEntry.classCode is not that of DocumentEntry.typeCode ({id})',
      source: 'ini.md §4.1 (SUP:gtw §15.4.1)',
      appliesTo: 'entry',
      fails: hasOtherClass,
    },
    ...eventRules,
  ]
}

/** Rules about what a submission set is classified by. */
export function submissionSetCodeRules({ display }: RuleCodes): readonly SubmissionSetRule[] {
  return classificationRules({
    name: 'content-type-code',
    attribute: 'SubmissionSet.contentTypeCode',
    read: contentType,
    scheme: contentTypeScheme,
    displays: displaysOf(contentTypeCodes),
    former: contentTypeSpellings,
    source: 'ini.md §4.10',
    display: { code: display, severity: 'error' },
  }).map((rule): SubmissionSetRule => ({ ...rule, appliesTo: 'submission-set' }))
}
