import type { DocumentEntry, SubmissionSet } from '../../src/core/model/metadata.ts'
import type { Timestamp } from '../../src/core/model/timestamp.ts'
import {
  both,
  either,
  matches,
  missing,
  not,
  oneOf,
  optional,
  type Predicate,
  sameWords,
  slot,
  some,
  type Test,
} from '../../src/core/policy/metadata-predicates.ts'
import type { EntryRule, SubmissionSetRule } from '../../src/core/policy/metadata-rules.ts'
import { administrativeRequests } from './administrative-requests.ts'
import { otherDisplays } from './former-values.ts'
import { organizations } from './organizations.ts'
import { error, type RuleCodes, warning } from './rule-codes.ts'

const isStable: Predicate<DocumentEntry> = ({ kind }) => kind === 'stable'
const mimeType = optional((entry: DocumentEntry) => entry.mimeType)
const language = optional((entry: DocumentEntry) => entry.languageCode)
const hash = optional((entry: DocumentEntry) => entry.hash)
const size = optional((entry: DocumentEntry) => entry.size)
const hexadecimal = matches(/^[0-9A-Fa-f]{40}$/)

/** One begins after the other ended, as far as both are told. */
function isAfter(one: Timestamp | undefined, other: Timestamp | undefined): boolean {
  if (one === undefined || other === undefined) return false
  const told = Math.min(one.length, other.length)
  return one.slice(0, told) > other.slice(0, told)
}

/** What an entry says of the bytes of its document. */
const fileRules: readonly EntryRule[] = [
  {
    ...error,
    name: 'mime-type',
    text: 'Missing or wrong value of DocumentEntry.mimeType ({id})',
    source: 'ini.md §3.1; ITI TF-3: Table 4.3.1-3',
    appliesTo: 'entry',
    fails: either(missing(mimeType), some(mimeType, not(matches(/^[\w.+-]+(?:\/[\w.+-]+)+(?: *;.*)?$/)))),
  },
  {
    // The sources name these two and give no closed list.
    ...warning,
    name: 'mime-type-unusual',
    text: 'Unusual value of DocumentEntry.mimeType ({id})',
    source: 'ini.md §3.1 (SUP:map)',
    appliesTo: 'entry',
    fails: both(isStable, some(mimeType, not(oneOf(['application/pdf+text/x-cda-r2+xml', 'text/x-cda-r2+xml'])))),
  },
  {
    ...error,
    name: 'language-code',
    text: 'Missing or wrong value of DocumentEntry.languageCode ({id})',
    source: 'ini.md §3.1; ITI TF-3: Table 4.2.3.2-1',
    appliesTo: 'entry',
    fails: either(missing(language), some(language, not(matches(/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/)))),
  },
  {
    ...error,
    name: 'hash',
    text: 'Missing or wrong value of DocumentEntry.hash ({id})',
    source: 'ini.md §3.1 (SHA-1 of the document)',
    appliesTo: 'entry',
    fails: both(isStable, either(missing(hash), some(hash, not(hexadecimal)))),
  },
  {
    ...warning,
    name: 'hash-form',
    text: 'DocumentEntry.hash is not told in hexadecimal digits ({id})',
    source: 'ini.md §3.1 (Lazio sends base64)',
    appliesTo: 'entry',
    fails: both(some(hash, hexadecimal), some(slot('hash'), not(hexadecimal))),
  },
  {
    ...error,
    name: 'size',
    text: 'Missing or wrong value of DocumentEntry.size ({id})',
    source: 'ini.md §3.1 (bytes)',
    appliesTo: 'entry',
    fails: both(
      isStable,
      either(
        missing(size),
        some(size, (bytes) => !Number.isSafeInteger(bytes) || bytes < 0),
      ),
    ),
  },
]

const timeRules: readonly EntryRule[] = [
  {
    ...error,
    name: 'creation-time',
    text: 'Missing or wrong value of DocumentEntry.creationTime ({id})',
    source: 'ini.md §3.1; ITI TF-3: Table 4.3.1-3',
    appliesTo: 'entry',
    fails: both(isStable, missing(optional((entry) => entry.creationTime))),
  },
  {
    ...error,
    name: 'service-time',
    text: 'Wrong value of DocumentEntry.serviceStartTime or serviceStopTime ({id})',
    source: 'ini.md §3.1 (yyyyMMddHHmmss)',
    appliesTo: 'entry',
    fails: either(not(missing(slot('serviceStartTime'))), not(missing(slot('serviceStopTime')))),
  },
  {
    ...error,
    name: 'service-order',
    text: 'DocumentEntry.serviceStartTime is after serviceStopTime ({id})',
    source: 'ITI TF-3: Table 4.2.3.2-1 (ihe.md §1.9)',
    appliesTo: 'entry',
    fails: ({ serviceStartTime, serviceStopTime }) => isAfter(serviceStartTime, serviceStopTime),
  },
]

const administrativeRequest = slot('urn:ita:2022:administrativeRequest')
const requestCode = (value: string): string => value.split('^', 1)[0] ?? ''
const isKnownRequest: Test<string> = (value) => Object.hasOwn(administrativeRequests, requestCode(value))
const isBare: Test<string> = (value) => !value.includes('^')

/** Whether the words after the code are the code's. */
function isDisplayed(value: string): boolean {
  const code = requestCode(value)
  const others: Readonly<Record<string, string>> = otherDisplays.administrativeRequest
  return [administrativeRequests[code], others[code]].some(
    (display) => display !== undefined && sameWords(display, value.slice(code.length + 1)),
  )
}

/** Vocabularies of `urn:ita:2022:description`, those of regions named by organization code (ini.md §4.10). */
const vocabularies: ReadonlySet<string> = new Set([
  '2.16.840.1.113883.2.9.6.1.5',
  '2.16.840.1.113883.2.9.6.1.51',
  '2.16.840.1.113883.6.73',
  '2.16.840.1.113883.2.9.6.1.57.1',
  '2.16.840.1.113883.2.9.6.1.57.2',
  '2.16.840.1.113883.2.9.6.1.11',
  '2.16.840.1.113883.2.9.4.3.13',
  ...Object.keys(organizations).flatMap((code) =>
    [code, String(Number(code))].map((region) => `2.16.840.1.113883.2.9.2.${region}.6.1.11`),
  ),
])

const isDescription: Test<string> = (value) => {
  const [code, text, vocabulary, ...more] = value.split('^')
  return code !== '' && text !== undefined && vocabularies.has(vocabulary ?? '') && more.length === 0
}

/** The slots of the affinity domain. */
function slotRules({ display }: RuleCodes): readonly EntryRule[] {
  return [
    {
      ...error,
      name: 'administrative-request',
      text: 'Wrong value of urn:ita:2022:administrativeRequest ({id})',
      source: 'ini.md §3.1, §4.10',
      appliesTo: 'entry',
      fails: some(administrativeRequest, not(isKnownRequest)),
    },
    {
      severity: 'error',
      code: display,
      name: 'administrative-request-display',
      text: 'Wrong format data of display name for urn:ita:2022:administrativeRequest ({id})',
      source: 'ini.md §3.1, §4.10',
      appliesTo: 'entry',
      fails: some(administrativeRequest, both(isKnownRequest, not(either(isBare, isDisplayed)))),
    },
    {
      ...warning,
      name: 'administrative-request-bare',
      text: 'urn:ita:2022:administrativeRequest is told without its display name ({id})',
      source: 'ini.md §3.1 (#761)',
      appliesTo: 'entry',
      fails: some(administrativeRequest, both(isKnownRequest, isBare)),
    },
    {
      ...error,
      name: 'description',
      text: 'Wrong value of urn:ita:2022:description ({id})',
      source: 'ini.md §3.1, §4.10 (GD:DescriptionEnum)',
      appliesTo: 'entry',
      fails: some(slot('urn:ita:2022:description'), not(isDescription)),
    },
    {
      // How a document that is not signed says so, no source tells.
      ...warning,
      name: 'document-signed',
      text: 'Unusual value of urn:ita:2022:documentSigned ({id})',
      source: 'ini.md §3.1, §4.10 (#2705)',
      appliesTo: 'entry',
      fails: some(slot('urn:ita:2022:documentSigned'), not(oneOf(['true^Documento firmato']))),
    },
    {
      ...warning,
      name: 'repository-type',
      text: 'Unusual value of urn:ita:2017:repository-type ({id})',
      source: 'ini.md §3.1, §4.10 (SUP:map)',
      appliesTo: 'entry',
      fails: some(slot('urn:ita:2017:repository-type'), not(oneOf(['CONS^^^&2.16.840.1.113883.2.9.3.3.6.1.7&ISO']))),
    },
    {
      ...warning,
      name: 'eds-published',
      text: 'Unusual value of urn:ita:fse:2025:EDSpublished ({id})',
      source: 'ini.md §3.1 (#2629)',
      appliesTo: 'entry',
      fails: some(slot('urn:ita:fse:2025:EDSpublished'), not(oneOf(['TRUE', 'FALSE']))),
    },
  ]
}

/** Rules about what entries say in words, numbers and times. */
export function entryValueRules(codes: RuleCodes): readonly EntryRule[] {
  return [...fileRules, ...timeRules, ...slotRules(codes)]
}

/** The same about submission sets. */
export const submissionSetValueRules: readonly SubmissionSetRule[] = [
  {
    ...error,
    name: 'submission-time',
    text: 'Missing or wrong value of SubmissionSet.submissionTime ({id})',
    source: 'ini.md §3.2; ITI TF-3: Table 4.3.1-3',
    appliesTo: 'submission-set',
    fails: missing(optional((set: SubmissionSet) => set.submissionTime)),
  },
]
