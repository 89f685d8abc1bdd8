import type { Code } from '../../src/core/model/code.ts'
import type { DocumentEntry } from '../../src/core/model/metadata.ts'
import {
  both,
  codeIn,
  displayedBy,
  displaysOf,
  either,
  not,
  ofScheme,
  type Reading,
  several,
  some,
} from '../../src/core/policy/metadata-predicates.ts'
import type { EntryRule } from '../../src/core/policy/metadata-rules.ts'
import { accessPolicyCodes, eventScheme, otherEventCodes } from './event-codes.ts'
import { error, warning } from './rule-codes.ts'

const confidentiality: Reading<DocumentEntry, Code> = (entry) => entry.confidentialityCodes
const events: Reading<DocumentEntry, Code> = (entry) => entry.eventCodes

// Vaccines are coded in ATC below J07, and in SNOMED CT (SCTID: 6 to 18 digits).
const isVaccine = ({ code }: Code): boolean =>
  /^J07[A-Z]{2}(?:[0-9]{2})?$/.test(code) || /^[1-9][0-9]{5,17}$/.test(code)
const eventTable: Readonly<Record<string, string>> = { ...accessPolicyCodes, ...otherEventCodes }
const mostProtected = some(confidentiality, codeIn(['V']))

/** Rules about eventCodeList: what is known of it, and the policies that hide a document or declare it in clear. */
export const eventRules: readonly EntryRule[] = [
  {
    ...error,
    name: 'event-code-scheme',
    text: 'Wrong coding scheme of DocumentEntry.eventCodeList ({id})',
    source: 'ini.md §3.1, §4.5',
    appliesTo: 'entry',
    fails: some(events, not(ofScheme(eventScheme))),
  },
  {
    // The list grows with every version of the affinity domain, and nothing here depends on a code nobody knows.
    ...warning,
    name: 'event-code-value',
    text: 'Unknown value of DocumentEntry.eventCodeList ({id})',
    source: 'ini.md §4.5',
    appliesTo: 'entry',
    fails: some(events, not(either(codeIn(Object.keys(eventTable)), isVaccine))),
  },
  {
    // To refuse an obscuring for its caption would leave the document in clear.
    ...warning,
    name: 'event-code-display',
    text: 'Wrong format data of display name for DocumentEntry.eventCodeList ({id})',
    source: 'ini.md §4, §4.5',
    appliesTo: 'entry',
    fails: some(events, not(displayedBy(displaysOf(eventTable)))),
  },
  {
    ...error,
    name: 'obscured-to-one',
    text: 'P97 and P98 must not be used in DocumentEntry.eventCodeList ({id})',
    source: 'ini.md §4.5 (AD 2.6.1 note p. 22, #1822)',
    appliesTo: 'entry',
    fails: some(events, codeIn(['P97', 'P98'])),
  },
  {
    // P81 tells that a summary is not the last one, and goes with any of these.
    ...error,
    name: 'one-visibility-policy',
    text: 'More than one visibility policy in DocumentEntry.eventCodeList ({id})',
    source: 'ini.md §4.5 (#2153)',
    appliesTo: 'entry',
    fails: several(events, codeIn(['P99', 'P00', 'P97', 'P98'])),
  },
  {
    severity: 'error',
    code: 'R227',
    name: 'most-protected-without-policy',
    text: 'Mismatch between the value of XDSDocumentEntry.confidentialityCode and XDSDocumentEntry.eventCodeList',
    source: 'ini.md §4.4, §6.1 (#2521, #3043, #1719)',
    appliesTo: 'entry',
    fails: both(mostProtected, not(some(events, codeIn(['P99', 'P00'])))),
  },
  {
    // Of V the sources say that it asks for a policy; of P00 only that it is used with V.
    severity: 'warning',
    code: 'R227',
    name: 'declared-in-clear-for-nothing',
    text: 'XDSDocumentEntry.eventCodeList declares in clear what XDSDocumentEntry.confidentialityCode does not protect',
    source: 'ini.md §4.5 (P00)',
    appliesTo: 'entry',
    fails: both(some(events, codeIn(['P00'])), not(mostProtected)),
  },
]
