import { describe, expect, it } from 'vitest'
import { authorities } from '../../../../src/core/model/patient.ts'
import { parseJson, readSearchPage } from '../../../../src/wire/fhir/bundle.ts'
import { decodeDocuments, neighboursOf, unknownSubjects } from '../../../../src/wire/fhir/documents.ts'
import { document, fixture } from './samples.ts'

const page = readSearchPage(parseJson(fixture('searchset-two-documents')), 'DocumentReference')
const neighbours = neighboursOf([...page.matches, ...page.included])
const current = { value: 'PRVCRC70A01D612G', authority: authorities.codiceFiscale }
const old = { value: 'PRVCRC70A01D61NV', authority: authorities.codiceFiscale }

describe('decodeDocuments', () => {
  it('resolves references to documents that came along', () => {
    const { entries, associations, dangling } = decodeDocuments(page.matches, neighbours)
    expect(entries).toHaveLength(2)
    expect(associations).toMatchObject([
      { type: 'replaces', source: entries[0]?.entryUuid, target: entries[1]?.entryUuid },
    ])
    expect(dangling).toBe(0)
  })

  it('names a patient known by reference only by the identifier asked for, if it is theirs', () => {
    const patients = (asked?: typeof old) => decodeDocuments(page.matches, neighbours, asked).entries[1]?.patientId
    expect(patients(old)).toEqual(old)
    expect(patients()).toEqual(current)
    expect(patients({ ...current, value: 'STRNGR70A01D612X' })).toEqual(current)
  })

  it('costs an odd document itself and a warning that names it', () => {
    const odd = { resource: document({ id: '13', status: 'entered-in-error' }) }
    const nameless = { resource: document({ id: 'not an id', status: 'preliminary' }) }
    const { entries, issues } = decodeDocuments([odd, ...page.matches, nameless], neighbours)
    expect(entries).toHaveLength(2)
    expect(issues).toEqual([
      {
        severity: 'warning',
        code: 'XDSRegistryMetadataError',
        text: 'Left out DocumentReference/13: status is neither current nor superseded',
      },
      {
        severity: 'warning',
        code: 'XDSRegistryMetadataError',
        text: 'Left out a document without an id: status is neither current nor superseded',
      },
    ])
  })

  it('costs an odd document nothing but itself, even when others refer to it', () => {
    const odd = { resource: document({ id: '13', identifier: 'text' }) }
    const sound = {
      resource: document({ relatesTo: [{ code: 'appends', target: { reference: 'DocumentReference/13' } }] }),
    }
    expect(decodeDocuments([odd, sound], neighboursOf([odd, sound]))).toMatchObject({
      entries: [{}],
      associations: [],
      dangling: 1,
    })
  })

  it('does not take the patient of another server for one that came along', () => {
    const foreign = { resource: document({ subject: { reference: 'https://elsewhere.example/fhir/Patient/7' } }) }
    expect(decodeDocuments([foreign], neighbours).entries).toEqual([])
  })
})

describe('unknownSubjects', () => {
  it('names the patients that documents refer to and that did not come along', () => {
    const by = (reference: string) => ({ resource: document({ subject: { reference } }) })
    const documents = [by('Patient/8'), by('Patient/8/_history/2'), by('Patient/7'), by('Group/9'), by('Patient/a b')]
    expect(unknownSubjects([...documents, ...page.matches], neighbours)).toEqual(['8'])
  })
})
