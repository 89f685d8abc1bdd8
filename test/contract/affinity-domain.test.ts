import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { administrativeRequests } from '../../contracts/affinity-domain/administrative-requests.ts'
import { actionIds, purposesOfUse, roles } from '../../contracts/affinity-domain/callers.ts'
import { confidentialityCodes, confidentialityScheme } from '../../contracts/affinity-domain/confidentiality-codes.ts'
import { contentTypeCodes, contentTypeScheme } from '../../contracts/affinity-domain/content-types.ts'
import { classCodes, classScheme, newClassCodes } from '../../contracts/affinity-domain/document-classes.ts'
import {
  documentTypes,
  documentTypeTable,
  formerDocumentTypes,
  loinc,
  typeCodes,
} from '../../contracts/affinity-domain/document-types.ts'
import { accessPolicyCodes, eventScheme, otherEventCodes } from '../../contracts/affinity-domain/event-codes.ts'
import { formatCodes, formatScheme, newFormatCodes } from '../../contracts/affinity-domain/format-codes.ts'
import { organizationHome, organizationOf, organizations } from '../../contracts/affinity-domain/organizations.ts'
import {
  facilityTypeCodes,
  facilityTypeScheme,
  practiceSettingCodes,
  practiceSettingScheme,
} from '../../contracts/affinity-domain/settings.ts'

type Codes = Readonly<Record<string, string>>

const corpus = join(import.meta.dirname, '../../../shared/corpus')

/** Rows of a code list: fields in quotes may hold commas, and quotes twice. */
function rows(path: string): readonly (readonly string[])[] {
  const [, ...lines] = readFileSync(join(corpus, path), 'utf8').split(/\r?\n/)
  return lines
    .filter((line) => line !== '')
    .map((line) => [...line.matchAll(/("((?:[^"]|"")*)"|[^,]*)(?:,|$)/g)])
    .map((fields) => fields.map(([, plain = '', quoted]) => quoted?.replaceAll('""', '"') ?? plain))
}

function list(path: string, code: number, display: number): Codes {
  return Object.fromEntries(rows(path).map((row) => [row[code] ?? '', row[display] ?? '']))
}

function present(path: string): { readonly absent: boolean; readonly reason: string } {
  const absent = !existsSync(join(corpus, path))
  return { absent, reason: absent ? ' (skipped: ../shared/corpus is absent)' : '' }
}

const facilityTypes: Codes = Object.fromEntries(facilityTypeCodes.map((code) => [code, code]))

describe('the affinity domain', () => {
  it('gives every document type a class that exists, and a new class to new types only', () => {
    for (const { code, classCode, since } of documentTypeTable) {
      if (classCode === undefined) continue
      expect(classCodes, code).toHaveProperty(classCode)
      if (newClassCodes.has(classCode)) expect(since, code).toBe('2.6.4')
    }
  })

  it('tells every document type once', () => {
    expect(Object.keys(typeCodes)).toHaveLength(documentTypeTable.length)
    expect(documentTypes).toHaveLength(documentTypeTable.length)
  })

  it('knows what replaced former document types', () => {
    for (const [former, { now }] of Object.entries(formerDocumentTypes)) {
      expect(typeCodes).toHaveProperty([now])
      expect(typeCodes).not.toHaveProperty([former])
    }
  })

  it('calls new only formats and classes that it has', () => {
    for (const code of newFormatCodes) expect(formatCodes).toHaveProperty([code])
    for (const code of newClassCodes) expect(classCodes).toHaveProperty([code])
  })

  it('finds the home of an organization and back', () => {
    for (const code of Object.keys(organizations)) {
      const home = organizationHome(code)
      expect(home && organizationOf(home)).toBe(code)
    }
    expect(organizationHome('090')).toBe('urn:oid:2.16.840.1.113883.2.9.2.90')
    expect(organizationHome('040')).toBeUndefined()
    expect(organizationHome('constructor')).toBeUndefined()
  })
})

const derived = present('ini/codelists/derived')

describe.skipIf(derived.absent)(`the code lists of INI${derived.reason}`, () => {
  it.each<[string, Codes, string]>([
    ['typeCode', typeCodes, loinc],
    ['classCode', classCodes, classScheme],
    ['formatCode', formatCodes, formatScheme],
    ['confidentialityCode', confidentialityCodes, confidentialityScheme],
    ['practiceSettingCode', practiceSettingCodes, practiceSettingScheme],
    ['healthcareFacilityTypeCode', facilityTypes, facilityTypeScheme],
    ['contentTypeCode', contentTypeCodes, contentTypeScheme],
    ['administrativeRequest', administrativeRequests, ''],
    ['organization', organizations, ''],
    ['purposeOfUse', purposesOfUse, ''],
  ])('agree about %s, code by code and word by word', (name, ours, scheme) => {
    const path = `ini/codelists/derived/${name}.csv`
    expect(ours).toEqual(list(path, 0, 1))
    expect(new Set(rows(path).map((row) => row[2]))).toEqual(new Set([scheme]))
  })

  it('agree about events, but for the vaccines', () => {
    const path = 'ini/codelists/derived/eventCodeList.csv'
    const isVaccine = (code: string) => code.startsWith('J07') || /^[0-9]{8,}$/.test(code)
    const theirs = Object.entries(list(path, 0, 1)).filter(([code]) => !isVaccine(code))
    expect({ ...accessPolicyCodes, ...otherEventCodes }).toEqual(Object.fromEntries(theirs))
    expect(new Set(rows(path).map((row) => row[2]))).toEqual(new Set([eventScheme]))
  })

  // Of roles the tables of the affinity domain and of the gateway's software differ in words, not in codes.
  it('agree about the codes of roles', () => {
    expect(Object.keys(roles).sort()).toEqual(Object.keys(list('ini/codelists/derived/role.csv', 0, 1)).sort())
  })
})

const gateway = present('codes-fse')

describe.skipIf(gateway.absent)(`the code lists of the national gateway${gateway.reason}`, () => {
  it.each<[string, Codes, Codes]>([
    ['LowLevelDoc', formatCodes, {}],
    ['ConfidentialityCode', confidentialityCodes, {}],
    ['PracticeSettingCode', practiceSettingCodes, {}],
    ['AttivitaClinica', contentTypeCodes, {}],
    ['AdministrativeReq', administrativeRequests, {}],
    ['SubjectOrganization', organizations, {}],
    ['PurposeOfUse', purposesOfUse, {}],
    ['IniActivity', actionIds, {}],
    // Displays before AD 2.6.4.
    [
      'TipoDocAltoLiv',
      classCodes,
      { LDO: 'Lettera di dimissione ospedaliera', CRT: 'Certificato Amministrativo generico' },
    ],
    [
      'DocumentType',
      {
        ...typeCodes,
        ...Object.fromEntries(Object.entries(formerDocumentTypes).map(([code, { display }]) => [code, display])),
      },
      { '87273-9': 'Scheda singola vaccinazione' },
    ],
  ])('%s holds nothing that is not here', (name, ours, otherwise) => {
    for (const [code, display] of Object.entries(list(`codes-fse/${name}.csv`, 1, 2))) {
      // Codes that LOINC had not given yet.
      if (code === '[LOINC_CODE]') continue
      expect(otherwise[code] ?? ours[code], code).toBe(display)
    }
  })
})
