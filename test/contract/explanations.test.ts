import { describe, expect, it } from 'vitest'
import { explanationOf, explanations, explanationsOf } from '../../contracts/explanations/explanation-of.ts'
import { passingFailure } from '../../src/wire/ebrim/error-meanings.ts'

/** The codes of ini.md §6.1, written down from there. */
const iniCodes = [
  ...['PST4', 'PST5', 'PST6', 'PST10', 'PIT1', 'PIT2', 'PFC3', 'PFC9', 'PFA11', 'PFA14'],
  ...['R50', 'R56', 'R80', 'R153', 'R166', 'R220', 'R221', 'R224', 'R227'],
  ...['QND1', 'QND2', 'RTW1', 'RTW2', 'RtRE3', 'CRF1', 'CRF2', 'EDS3', 'CON5', 'CON13', 'ConsentError', 'AU1'],
  ...['1051', '1079', '1291', '1302', '1303', '2005', '2048', '2050', '2061', '9000', '9999'],
]
const iniTexts = [
  ...[1001, 1011, 1089, 1133, 1288, 2002, 2007, 9000, 9999].map((number) => `Internal Error ${number}`),
  'Internal Error init service',
  'Unavailable $XDSDocumentUniqueId',
  'RPDA non individuata per servizio trasferimento indice',
]

/** Problem types of ini.md §5.5, and what INI's client of the gateway says (§6.1). */
const gatewayCodes = [
  ...['missing-token', 'mandatory-element-token', 'jwt-validation', 'document-hash', 'cda-element', 'syntax'],
  ...['semantic', 'vocabulary', 'validator', 'cda-match', 'empty-file', 'document-type', 'mandatory-element'],
  ...['invalid-format', 'id-doc', 'wii', 'fhir-mapping-type', 'fhir-mapping-timeout', 'generic-timeout'],
  ...['workflow-id-error-extraction', 'record-not-found', 'ini-error', 'eds-error', 'max-day-limit-exceed'],
  ...['unauthorized', 'sign-error', 'simulation-error', 'not-implemented', 'mocked-service', 'connection-refused'],
  'generic-error',
].map((word) => `/msg/${word}`)
const clientCodes = [
  ...['/errors', '/errors/ini', '/errors/validation', '/errors/internal', '/errors/external/ini'],
  ...['/generic', '/missing-docs', '/missing-references', '/missing-metadata', '/api-input', '/conflict', '/input'],
  ...['/communication-error', '/soap-fault', '/timeout', '/unavailable', '/issuer-missing'],
]

/** Of sistema-ts.md A.4 and A.6, and the client assertions of B.2. */
const sistemaTsCodes = [
  ...['0000', '0001', '9999', '0199', '0198', '0197', '0196', '0100', '0200', '0300', '5221', '1024', '1125', '1153'],
  ...['1212', '01', '02', '03', '04', '05', '06', '07', '08', '18', '19', '20', '21', '22', '99', '9998', '9997'],
  ...['600', '601', '602', '603', '300', '301', '302', '303', '304', '305', '306', '307', '700', '100', '200'],
]
const pdndCodes = [
  ...['0002', '0003', '0004', '0005', '0008', '0009', '0010', '0011', '0012', '0013', '0014', '0015', '0016', '0017'],
  ...['0019', '0020', '0021', '0022', '0023', '0024', '0025', '0026', '0027', '0028', '0029', '0030', '0031', '0032'],
  ...['0033', '0034', '0043', '015-0008'],
]

/** The table of ihe.md §1.15. */
const registryCodes = [
  ...['DocumentQueued', 'InvalidDocumentContent', 'PartialAppendContentNotProcessed', 'PartialTransformNotProcessed'],
  ...[
    'PartialFolderContentNotProcessed',
    'PartialRelationshipContentNotProcessed',
    'PartialReplaceContentNotProcessed',
  ],
  ...['PartialTransformReplaceNotProcessed', 'UnresolvedReferenceException', 'ReferencesExistException'],
  ...['XDSUnreferencedObjectException', 'XDSDocumentUniqueIdError', 'XDSDuplicateUniqueIdInRegistry'],
  ...['XDSExtraMetadataNotSaved', 'XDSMissingDocument', 'XDSMissingDocumentMetadata', 'XDSMissingHomeCommunityId'],
  ...['XDSNonIdenticalHash', 'XDSNonIdenticalSize', 'XDSPatientIdDoesNotMatch', 'XDSRegistryBusy', 'XDSRepositoryBusy'],
  ...['XDSRegistryDeprecatedDocumentError', 'XDSRegistryDuplicateUniqueIdInMessage'],
  ...['XDSRepositoryDuplicateUniqueIdInMessage', 'XDSRegistryError', 'XDSRepositoryError', 'XDSRegistryMetadataError'],
  ...['XDSRepositoryMetadataError', 'XDSRegistryNotAvailable', 'XDSRegistryOutOfResources', 'XDSReplaceFailed'],
  ...['XDSRepositoryOutOfResources', 'XDSResultNotSinglePatient', 'XDSStoredQueryMissingParam', 'TranscodingError'],
  ...['XDSStoredQueryParamNumber', 'XDSUnknownStoredQuery', 'XDSTooManyResults', 'XDSUnavailableCommunity'],
  ...['XDSUnknownCommunity', 'XDSUnknownPatientId', 'XDSUnknownRepositoryId', 'XDSMetadataUpdateError'],
  ...['XDSMetadataUpdateOperationError', 'XDSMetadataVersionError', 'XDSMetadataIdentifierError'],
  ...['XDSPatientIDReconciliationError', 'XDSInvalidRequestException', 'XDSObjectTypeError'],
  ...['UnmodifiableMetadataError', 'LocalPolicyRestrictionError', 'XDSMetadataAnnotationError'],
  ...['XDSRemoveDocumentsError', 'UnknownRecipient', 'UnavailableRecipient', 'FHIRDocumentNotSupported'],
  ...['XDSIRequestError', 'XDSIUnknownIdsUid'],
]

describe('the explanations', () => {
  it.each([
    ['ini', iniCodes],
    ['fse-gateway', [...gatewayCodes, ...clientCodes, 'mw/io_error', 'mw/internal_error']],
    ['sistema-ts', sistemaTsCodes],
    ['pdnd', pdndCodes],
    ['ihe', registryCodes],
  ] as const)('tell of every code of %s that the facts list, by itself and not by its family', (system, codes) => {
    expect(codes.filter((code) => explanationOf(code, '', system)?.code !== code)).toEqual([])
  })

  it.each(iniTexts)('tell of what INI says with XDSRegistryError: %s', (text) => {
    const found = explanationOf('XDSRegistryError', text)
    expect(found?.system).toBe('ini')
    expect(explanationOf(text)).toBe(found)
  })

  it('tell nothing twice', () => {
    const names = explanations.map(({ system, code }) => `${system} ${code}`)
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })

  it('are whole sentences of at most 200 characters, and name their source', () => {
    const faults = explanations.flatMap((one) => {
      const { code, title, meaning, next, consequence, consequenceIt, source } = one
      const sentences = [meaning, next, consequence, consequenceIt].filter((text) => !/^[\p{Lu}].*\.$/u.test(text))
      const long = [title, meaning, next, consequence, consequenceIt, source].filter((text) => text.length > 200)
      const sourced = /^(?:ini|ihe|sistema-ts)\.md (?:§\d|[AB]\.\d)/.test(source) ? [] : [source]
      return [...sentences, ...long, ...sourced].map((text) => `${code}: ${text}`)
    })
    expect(faults).toEqual([])
  })

  it('tell people the consequence and no code', () => {
    const told = explanations.flatMap(({ consequence, consequenceIt }) => [consequence, consequenceIt])
    expect(told.filter((text) => /\d|XDS|CRF|INI\b|\bR[DP]?A\b/.test(text))).toEqual([])
  })

  it('never let R and P codes be tried again by the gateway, and agree with what it does try again', () => {
    const automatic = explanations.filter(({ retry }) => retry === 'automatic').map(({ code }) => code)
    expect(automatic.filter((code) => /^[RP][A-Z]{0,2}\d/.test(code))).toEqual([])
    const passing = registryCodes.filter((code) => passingFailure(code) !== undefined)
    expect(passing.filter((code) => !automatic.includes(code))).toEqual([])
  })
})

describe('looking an explanation up', () => {
  it.each([
    ['R77', 'R<n>'],
    ['PIT12', 'P<xx><n>'],
    ['4711', '<4 digits>'],
    [' R56 ', 'R56'],
    ['https://govway.org/handling-errors/401/TokenAuthenticationFailed.html', 'TokenAuthenticationFailed'],
  ])('finds %j by its family or its word: %s', (code, found) => {
    expect(explanationOf(code)?.code).toBe(found)
  })

  it.each([
    ['Receiver', 'Missing upload consent', 'Missing upload consent'],
    ['soap:Receiver', 'Missing Consultation Consent for the patient', 'PFA11'],
    ['XDSRegistryError', 'something else', 'XDSRegistryError'],
    ['ConsentError', 'Internal Error init service', 'ConsentError'],
    ['R50', 'Internal Error 1011', 'R50'],
  ])('of %s beside %j is that of %s', (code, text, found) => {
    expect(explanationOf(code, text)?.code).toBe(found)
  })

  it.each(['', 'RSSMRA80A01H501U', 'R12345678901', 'STP0010011234567', '12345678903', 'constructor', 'Failure'])(
    'finds nothing for %j',
    (code) => {
      expect(explanationsOf(code)).toEqual([])
    },
  )

  it('finds one code of several systems, or of the one that is asked about', () => {
    expect(explanationsOf('9999').map(({ system }) => system)).toEqual(['ini', 'sistema-ts'])
    expect(explanationsOf('9999', '', 'sistema-ts')).toHaveLength(1)
    expect(explanationsOf('R56', '', 'pdnd')).toEqual([])
  })
})
