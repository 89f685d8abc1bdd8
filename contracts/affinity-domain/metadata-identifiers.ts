import type { DocumentEntry, SubmissionSet } from '../../src/core/model/metadata.ts'
import { samePatientId } from '../../src/core/model/patient.ts'
import {
  both,
  either,
  matches,
  missing,
  not,
  optional,
  type Predicate,
  type Reading,
  some,
} from '../../src/core/policy/metadata-predicates.ts'
import type {
  AssociationRule,
  EntryRule,
  FolderRule,
  MetadataRule,
  SubmissionSetRule,
} from '../../src/core/policy/metadata-rules.ts'
import { organizations } from './organizations.ts'
import { error, metadataError, warning } from './rule-codes.ts'

const regions = Object.keys(organizations).map(Number).join('|')
/** The arc of an organization, its code without leading zeros (ini.md §3.4). */
const arc = String.raw`2\.16\.840\.1\.113883\.2\.9\.2\.(?:${regions})`
const prescriptions = String.raw`2\.16\.840\.1\.113883\.2\.9\.4\.3\.8`
const prescriptionNumber = '[0-9A-Z]{15}'
const sistemaTsSuffix = '_(?:PRESPEC|PREFARM|EROSPEC|EROFARM)'
/** What follows an arc: leading zeros are met, so that it is no OID in the strict sense. */
const arcs = String.raw`[0-9]+(?:\.[0-9]+)*`

const isOrganization = matches(new RegExp(`^${arc}$`))
const isRepository = matches(new RegExp(String.raw`^${arc}\.4\.5\.${arcs}$`))
const isSubmission = matches(new RegExp(String.raw`^${arc}\.4\.3\.${arcs}$`))
const regionalDocument = matches(new RegExp(String.raw`^${arc}\.4\.4\^\S+(?: \S+)*$`))
const namedLikeSistemaTs = matches(new RegExp(`${sistemaTsSuffix}$`))
const sistemaTsDocument = matches(new RegExp(String.raw`^${prescriptions}\^${prescriptionNumber}${sistemaTsSuffix}$`))

const order = matches(
  new RegExp(String.raw`^${prescriptionNumber}\^\^\^&${prescriptions}&ISO\^urn:ihe:iti:xds:2013:order$`),
)
/** A reference to something else than an order or, which is refused in production (#2007), a study. */
const otherReference = matches(
  /^[^^]+\^{3}(?:&[0-9.]+&ISO)?\^urn:(?!ihe:iti:xds:2013:order$|ihe:iti:xds:2016:studyInstanceUID$)[\w.:-]+$/,
)

const uniqueId = optional((entry: DocumentEntry) => entry.uniqueId)
const repository = optional((entry: DocumentEntry) => entry.repositoryUniqueId)
const sourceId = optional((set: SubmissionSet) => set.sourceId)
const references: Reading<DocumentEntry, string> = (entry) => entry.referenceIds

const ofOtherPatient: Predicate<Pick<DocumentEntry, 'patientId'>> = ({ patientId }, { submission }) =>
  !samePatientId(patientId, submission.submissionSet.patientId)

const samePatient = {
  severity: 'error',
  code: 'XDSPatientIdDoesNotMatch',
  source: 'ITI TF-3: Table 4.2.4.1-2 (ihe.md §1.9)',
} as const

const entryRules: readonly EntryRule[] = [
  {
    severity: 'error',
    code: 'R80',
    name: 'unique-id',
    text: 'Wrong value of DocumentEntry.uniqueId',
    source: 'ini.md §3.4, §6.1 (#1827, #2103, #2006)',
    appliesTo: 'entry',
    fails: some(uniqueId, not(either(sistemaTsDocument, both(regionalDocument, not(namedLikeSistemaTs))))),
  },
  {
    severity: 'error',
    code: 'XDSRegistryDuplicateUniqueIdInMessage',
    name: 'unique-id-once',
    text: 'The DocumentEntry.uniqueId is that of another document of the message too ({id})',
    source: 'ITI TF-3: Table 4.2.4.1-2 (ihe.md §1.9)',
    appliesTo: 'entry',
    fails: (entry, { bearers }) => (bearers.get(entry.uniqueId) ?? 0) > 1,
  },
  {
    ...error,
    name: 'repository-unique-id',
    text: 'Missing or wrong value of DocumentEntry.repositoryUniqueId ({id})',
    source: 'ini.md §3.4 (SUP:map, #1334)',
    appliesTo: 'entry',
    fails: either(missing(repository), some(repository, not(isRepository))),
  },
  {
    severity: 'error',
    code: 'R166',
    name: 'reference-id',
    text: 'Wrong value of referenceIdList',
    source: 'ini.md §3.1, §6.1 (#1798, #1799, #2007, #2519)',
    appliesTo: 'entry',
    fails: some(references, not(either(order, otherReference))),
  },
  {
    // Regions are seen to cite requests of their own (ini.md §3.1).
    severity: 'warning',
    code: 'R166',
    name: 'reference-id-other',
    text: 'A value of referenceIdList is not the number of a prescription',
    source: 'ini.md §3.1 (#1799)',
    appliesTo: 'entry',
    fails: some(references, otherReference),
  },
  {
    ...error,
    name: 'source-patient-id',
    text: 'Missing DocumentEntry.sourcePatientId ({id})',
    source: 'ini.md §3.1; ITI TF-3: Table 4.3.1-3',
    appliesTo: 'entry',
    fails: missing(optional((entry: DocumentEntry) => entry.sourcePatientId)),
  },
  {
    ...samePatient,
    name: 'patient-of-entry',
    text: 'DocumentEntry.patientId is not that of the SubmissionSet ({id})',
    appliesTo: 'entry',
    fails: ofOtherPatient,
  },
  {
    severity: 'error',
    code: 'R153',
    name: 'membership',
    text: 'Missing association with SubmissionSet',
    source: 'ini.md §3.2, §6.1 (#2751)',
    appliesTo: 'entry',
    fails: (entry, { memberships }) => !memberships.has(entry.entryUuid),
  },
]

const submissionSetRules: readonly SubmissionSetRule[] = [
  {
    ...error,
    name: 'submission-unique-id',
    text: 'Wrong value of SubmissionSet.uniqueId ({id})',
    source: 'ini.md §3.2, §3.4 (SUP:map)',
    appliesTo: 'submission-set',
    fails: some(
      optional((set) => set.uniqueId),
      not(isSubmission),
    ),
  },
  {
    ...error,
    name: 'submission-source-id',
    text: 'Missing or wrong value of SubmissionSet.sourceId ({id})',
    source: 'ini.md §3.2 (SUP:map)',
    appliesTo: 'submission-set',
    fails: either(missing(sourceId), some(sourceId, not(isOrganization))),
  },
]

const folderRules: readonly FolderRule[] = [
  {
    ...samePatient,
    name: 'patient-of-folder',
    text: 'Folder.patientId is not that of the SubmissionSet ({id})',
    appliesTo: 'folder',
    fails: ofOtherPatient,
  },
]

const relationships: ReadonlySet<string> = new Set([
  'replaces',
  'transforms',
  'appends',
  'transforms-and-replaces',
  'signs',
])

const associationRules: readonly AssociationRule[] = [
  {
    // The old way of updating replaces a document by itself (#761).
    ...error,
    name: 'association-source',
    text: 'The source of the Association is no document of the message ({id})',
    source: 'ini.md §3.3; ITI TF-3: 4.2.2.2',
    appliesTo: 'association',
    fails: ({ type, source, target }, { entryIds }) =>
      relationships.has(type) && source !== target && !entryIds.has(source),
  },
  {
    ...warning,
    name: 'membership-status',
    text: 'SubmissionSetStatus of a document that is submitted is not Original ({id})',
    source: 'ini.md §3.2; ITI TF-3: 4.2.2.1',
    appliesTo: 'association',
    fails: ({ type, target, submissionSetStatus }, { entryIds }) =>
      type === 'has-member' && entryIds.has(target) && submissionSetStatus !== 'Original',
  },
]

/** Rules about what documents, submissions and people are named by, and how the objects of a message refer to each other. */
export const identifierRules: readonly MetadataRule[] = [
  ...entryRules,
  ...submissionSetRules,
  ...folderRules,
  ...associationRules,
  {
    severity: 'error',
    code: metadataError,
    name: 'nothing-submitted',
    text: 'The submission holds nothing',
    source: 'ITI TF-3: 4.2.1',
    appliesTo: 'submission',
    fails: (_message, { submission: { entries, folders, associations } }) =>
      entries.length + folders.length + associations.length === 0,
  },
]
