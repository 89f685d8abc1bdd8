import type { SubmitChange } from '../../src/core/model/change.ts'
import type { Association, DocumentEntry, SubmissionSet } from '../../src/core/model/metadata.ts'
import { timestamp } from '../../src/core/model/timestamp.ts'
import { citizen, entry, loinc, submissionSet } from './builders.ts'

const author = {
  persons: ['CLNCXX75C03F839M^^^^^^^^&2.16.840.1.113883.2.9.4.3.2&ISO'],
  institutions: ['Presidio Ospedaliero Arno^^^^^&2.16.840.1.113883.2.9.4.1.2&ISO^^^^090633'],
  roles: ['AAS'],
  specialties: [],
  telecommunications: [],
}

/** A laboratory report, told as the national gateway tells one; its id is symbolic. */
export function validEntry(id = 'Document1'): DocumentEntry {
  return {
    ...entry(id),
    entryUuid: id,
    uniqueId: `2.16.840.1.113883.2.9.2.90.4.4^R${id}`,
    repositoryUniqueId: '2.16.840.1.113883.2.9.2.90.4.5.910',
    mimeType: 'application/pdf+text/x-cda-r2+xml',
    hash: '4e7c8255378d8086ee0c527bb7f1b6444256251c',
    size: 12_018,
    creationTime: timestamp('20240326110012'),
    serviceStartTime: timestamp('20240326100000'),
    serviceStopTime: timestamp('20240326101500'),
    languageCode: 'it-IT',
    sourcePatientId: `${citizen.value}^^^&${citizen.authority}&ISO`,
    authors: [author],
    typeCode: { code: '11502-2', scheme: loinc, display: 'Referto di Laboratorio' },
    classCode: { code: 'REF', scheme: '2.16.840.1.113883.2.9.3.3.6.1.5', display: 'Referto' },
    formatCode: {
      code: '2.16.840.1.113883.2.9.10.1.1',
      scheme: '2.16.840.1.113883.2.9.3.3.6.1.6',
      display: 'Referto di Laboratorio',
    },
    healthcareFacilityTypeCode: {
      code: 'Ospedale',
      scheme: '2.16.840.1.113883.2.9.3.3.6.1.1',
      display: 'Ospedale',
    },
    practiceSettingCode: {
      code: 'AD_PSC100',
      scheme: '2.16.840.1.113883.2.9.3.3.6.1.2',
      display: 'Laboratorio Analisi Chimico Cliniche',
    },
    confidentialityCodes: [{ code: 'N', scheme: '2.16.840.1.113883.5.25', display: 'Normal' }],
    referenceIds: ['0900A4000000001^^^&2.16.840.1.113883.2.9.4.3.8&ISO^urn:ihe:iti:xds:2013:order'],
    extra: {
      slots: [
        { name: 'urn:ita:2017:repository-type', values: ['CONS^^^&2.16.840.1.113883.2.9.3.3.6.1.7&ISO'] },
        { name: 'urn:ita:2022:administrativeRequest', values: ['SSN^Regime SSN'] },
        { name: 'urn:ita:2022:description', values: ['019655^Bentelan^2.16.840.1.113883.2.9.6.1.5'] },
        { name: 'urn:ita:2022:documentSigned', values: ['true^Documento firmato'] },
        { name: 'urn:ita:fse:2025:EDSpublished', values: ['TRUE'] },
      ],
    },
  }
}

export function validSubmissionSet(): SubmissionSet {
  return {
    ...submissionSet('123456'),
    entryUuid: 'SubmissionSet1',
    sourceId: '2.16.840.1.113883.2.9.2.90',
    submissionTime: timestamp('20240326111500'),
    contentTypeCode: {
      code: 'CON',
      scheme: '2.16.840.1.113883.2.9.3.3.6.1.4',
      display: 'Consulto',
    },
    authors: [author],
  }
}

export function membership(source: string, target: string): Association {
  return {
    entryUuid: `${source}_${target}`,
    type: 'has-member',
    source,
    target,
    submissionSetStatus: 'Original',
  }
}

/** Documents submitted together, as the affinity domain wants them. */
export function validSubmit(entries: readonly DocumentEntry[] = [validEntry()]): SubmitChange {
  const set = validSubmissionSet()
  const associations = entries.map(({ entryUuid }) => membership(set.entryUuid, entryUuid))
  return { type: 'submit', submission: { submissionSet: set, entries, folders: [], associations } }
}
