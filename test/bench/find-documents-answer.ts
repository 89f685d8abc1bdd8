/**
 * A FindDocuments answer as INI gives it (LeafClass, in SOAP 1.2), with so many stable document entries of 101 elements
 * and about 7.8 KB each. The citizen and everybody else in it are made up; the same number gives the same bytes.
 */
export function findDocumentsAnswer(entries: number): Buffer {
  const objects = Array.from({ length: entries }, (_, index) => documentEntry(index))
  return Buffer.from(`${opening}${objects.join('')}${closing}`, 'utf8')
}

const opening = `<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://www.w3.org/2005/08/addressing">
<soap:Header>
	<wsa:Action soap:mustUnderstand="true">urn:ihe:iti:2007:RegistryStoredQueryResponse</wsa:Action>
	<wsa:MessageID>urn:uuid:5d3b1c52-91f0-4a5b-8a0e-6f0f3a1d7c11</wsa:MessageID>
	<wsa:RelatesTo>urn:uuid:0c9d7c34-4f6f-4a55-9c55-1c3a6c2b9d22</wsa:RelatesTo>
</soap:Header>
<soap:Body><ns5:AdhocQueryResponse startIndex="0" status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"\
 xmlns:ns6="urn:hl7-org:v3" xmlns:ns5="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"\
 xmlns:ns4="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:ns3="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"\
 xmlns:ns2="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">
<ns2:RegistryObjectList>
`
const closing = `</ns2:RegistryObjectList>
</ns5:AdhocQueryResponse></soap:Body>
</soap:Envelope>
`

const patient = 'PROVAX00X00X000Y^^^&amp;2.16.840.1.113883.2.9.4.3.2&amp;ISO'
const ofObject = 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject'

interface Coded {
  readonly code: string
  readonly display: string
}

const kinds: readonly { readonly type: Coded; readonly class: Coded }[] = [
  { type: { code: '11502-2', display: 'Referto di Laboratorio' }, class: { code: 'REF', display: 'Referto' } },
  { type: { code: '57833-6', display: 'Prescrizione farmaceutica' }, class: { code: 'PRS', display: 'Prescrizione' } },
  { type: { code: '59258-4', display: 'Verbale di pronto soccorso' }, class: { code: 'VRB', display: 'Verbale' } },
]

function documentEntry(index: number): string {
  const id = uuid(index)
  const kind = kinds[index % kinds.length]!
  const time = `2024${two(1 + (index % 12))}${two(1 + (index % 28))}${two(index % 24)}${two(index % 60)}00`
  const coded = (part: string, scheme: string, codingScheme: string, { code, display }: Coded) =>
    element(
      2,
      `Classification classificationScheme="urn:uuid:${scheme}" classifiedObject="${id}" id="${part}" nodeRepresentation="${code}" objectType="${ofObject}:Classification"`,
      slot(3, 'codingScheme', codingScheme) + named(3, display),
    )
  const identified = (part: string, scheme: string, name: string, value: string) =>
    element(
      2,
      `ExternalIdentifier id="${part}" identificationScheme="urn:uuid:${scheme}" registryObject="${id}" value="${value}"`,
      named(3, name),
    )
  return element(
    1,
    `ExtrinsicObject id="urn:uuid:${id}" isOpaque="false" lid="urn:uuid:${id}" mimeType="text/x-cda-r2+xml" objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1" status="urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"`,
    [
      slot(2, 'serviceStartTime', time),
      slot(2, 'serviceStopTime', time),
      slot(2, 'creationTime', time),
      slot(2, 'size', String(40_000 + (index % 977) * 131)),
      slot(2, 'hash', digits(index, 40)),
      slot(2, 'languageCode', 'it-IT'),
      slot(2, 'sourcePatientId', patient),
      slot(2, 'repositoryUniqueId', '2.16.840.1.113883.2.9.2.30.4.5.1'),
      slot(2, 'urn:ita:2017:repository-type', 'CONS^^^&amp;2.16.840.1.113883.2.9.3.3.6.1.7&amp;ISO'),
      slot(2, 'urn:ita:2022:administrativeRequest', 'SSN^Regime SSN'),
      slot(2, 'urn:ita:2022:documentSigned', 'true^Documento firmato'),
      named(2, `${kind.type.display} n. ${index}`),
      empty(2, 'VersionInfo versionName="1"'),
      element(
        2,
        `Classification classificationScheme="urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d" classifiedObject="${id}" id="Author_1" nodeRepresentation="" objectType="${ofObject}:Classification"`,
        slot(3, 'authorPerson', 'PROVAY00X00X000Z^^^^^^^^&amp;2.16.840.1.113883.2.9.4.3.2&amp;ISO') +
          slot(3, 'authorRole', 'AAS') +
          slot(3, 'authorInstitution', `OSPEDALE DI PROVA^^^^^&amp;2.16.840.1.113883.2.9.4.1.2&amp;ISO^^^^${index}`),
      ),
      coded('IdHealthcareFacilityTypeCode', 'f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1', '2.16.840.1.113883.2.9.3.3.6.1.1', {
        code: 'Ospedale',
        display: 'Attività ospedaliera',
      }),
      coded('FormatCode_1', 'a09d5840-386c-46f2-b5ad-9c3699a4309d', '2.16.840.1.113883.2.9.3.3.6.1.6', {
        code: '2.16.840.1.113883.2.9.10.1.1',
        display: kind.type.display,
      }),
      coded('ClassCode', '41a5887f-8865-4c09-adf7-e362475b143a', '2.16.840.1.113883.2.9.3.3.6.1.5', kind.class),
      coded('IdTypeCode', 'f0306f51-975f-434e-a61c-c59651d33983', '2.16.840.1.113883.6.1', kind.type),
      coded('IdPracticeSettingCode', 'cccf5598-8b07-4b77-a05e-ae952c785ead', '2.16.840.1.113883.2.9.3.3.6.1.2', {
        code: 'AD_PSC130',
        display: 'Medicina di Base',
      }),
      coded('ConfidentialityCode01', 'f4f85eac-e6cb-4883-b524-f2705394840f', '2.16.840.1.113883.5.25', {
        code: 'N',
        display: 'Normal',
      }),
      coded('IdEventCodeList_1', '2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4', '2.16.840.1.113883.2.9.3.3.6.1.3', {
        code: 'LP199190-2',
        display: 'Patologia',
      }),
      coded('IdEventCodeList_2', '2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4', '2.16.840.1.113883.2.9.3.3.6.1.3', {
        code: '90768-3',
        display: 'Analisi sangue donatore',
      }),
      identified('PatientId', '58a6f841-87b3-4a3e-92fd-a8ffeff98427', 'XDSDocumentEntry.patientId', patient),
      identified(
        'UniqueId',
        '2e82c1f6-a085-4c72-9da3-8640a32e42ab',
        'XDSDocumentEntry.uniqueId',
        `2.16.840.1.113883.2.9.2.30.4.4^${1_000_000 + index}`,
      ),
    ].join(''),
  )
}

function slot(depth: number, name: string, value: string): string {
  const tabs = '\t'.repeat(depth + 2)
  return element(
    depth,
    `Slot name="${name}"`,
    element(depth + 1, 'ValueList', `${tabs}<ns2:Value>${value}</ns2:Value>\n`),
  )
}

function named(depth: number, value: string): string {
  return element(depth, 'Name', empty(depth + 1, `LocalizedString value="${value}"`))
}

function element(depth: number, tag: string, lines: string): string {
  const tabs = '\t'.repeat(depth)
  return `${tabs}<ns2:${tag}>\n${lines}${tabs}</ns2:${tag.split(' ', 1)[0]}>\n`
}

function empty(depth: number, tag: string): string {
  return `${'\t'.repeat(depth)}<ns2:${tag}/>\n`
}

function uuid(seed: number): string {
  const hex = digits(seed, 32)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
}

/** So many hexadecimal digits that look random and depend on `seed` only. */
function digits(seed: number, length: number): string {
  let state = Math.imul(seed + 1, 0x9e3779b1)
  let hex = ''
  while (hex.length < length) {
    state = Math.imul(state ^ (state >>> 15), 0x85ebca6b) + 0x6d2b79f5
    hex += (state >>> 0).toString(16).padStart(8, '0')
  }
  return hex.slice(0, length)
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}
