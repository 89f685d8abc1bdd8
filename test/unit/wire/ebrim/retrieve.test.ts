import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  XmlBufferInputProvider,
  XmlDocument,
  XsdValidator,
  xmlCleanupInputProvider,
  xmlRegisterInputProvider,
} from 'libxml2-wasm'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { homeCommunityId } from '../../../../src/core/model/identifiers.ts'
import {
  decodeRetrieveRequest,
  decodeRetrieveResponse,
  encodeRetrieveRequest,
  encodeRetrieveResponse,
} from '../../../../src/wire/ebrim/retrieve.ts'
import { readPackage } from '../../../../src/wire/mtom/package.ts'
import { encodeInclude } from '../../../../src/wire/mtom/xop.ts'
import { defaultXmlLimits, type Node, readTree, type XmlTree } from '../../../../src/wire/xml.ts'

const corpus = join(import.meta.dirname, '../../../../../shared/corpus/ihe/ITI-43')
const present = existsSync(corpus)
const reason = present ? '' : ' (skipped: ../shared/corpus is absent)'

const home = homeCommunityId('urn:oid:2.16.840.1.113883.2.9.2.90')
const reference = { home, repositoryUniqueId: '1.2.3', uniqueId: '1.2.3.4^a&b' }
const xdsb = 'xmlns="urn:ihe:iti:xds-b:2007" xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"'
const success = 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success'

const treeOf = (xml: string | Uint8Array) =>
  readTree(typeof xml === 'string' ? Buffer.from(xml) : xml, defaultXmlLimits)

/** The first element of a local name. */
function find(tree: XmlTree, local: string): Node {
  for (let node = tree.root; node < tree.records.count; node++) if (tree.local(node) === local) return node
  throw new Error(`There is no ${local}`)
}

function request(xml: string | Uint8Array) {
  const tree = treeOf(xml)
  return decodeRetrieveRequest(tree, find(tree, 'RetrieveDocumentSetRequest'))
}

function response(xml: string | Uint8Array, local = 'RetrieveDocumentSetResponse') {
  const tree = treeOf(xml)
  return decodeRetrieveResponse(tree, find(tree, local))
}

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof GatewayError) return error.code
    throw error
  }
  return 'taken'
}

describe('a request for documents', () => {
  it('is read as it was written', () => {
    const { home: _, ...homeless } = reference
    expect(request(encodeRetrieveRequest([reference, homeless]))).toEqual([reference, homeless])
  })

  it('is read with a bare home, white space and empty elements', () => {
    const xml = `<RetrieveDocumentSetRequest ${xdsb}><DocumentRequest><HomeCommunityId/><RepositoryUniqueId>
      1.2.3 </RepositoryUniqueId><DocumentUniqueId>4</DocumentUniqueId></DocumentRequest><DocumentRequest>
      <HomeCommunityId>2.16.840.1.113883.2.9.2.90</HomeCommunityId><RepositoryUniqueId>5</RepositoryUniqueId>
      <DocumentUniqueId>6</DocumentUniqueId></DocumentRequest></RetrieveDocumentSetRequest>`
    expect(request(xml)).toEqual([
      { repositoryUniqueId: '1.2.3', uniqueId: '4' },
      { home, repositoryUniqueId: '5', uniqueId: '6' },
    ])
  })

  const one = (inner: string) =>
    `<RetrieveDocumentSetRequest ${xdsb}><DocumentRequest>${inner}</DocumentRequest></RetrieveDocumentSetRequest>`
  it.each([
    ['names no document', `<RetrieveDocumentSetRequest ${xdsb}/>`, 'parameter-missing'],
    ['names no repository', one('<DocumentUniqueId>4</DocumentUniqueId>'), 'parameter-missing'],
    [
      'has an empty id',
      one('<RepositoryUniqueId>1</RepositoryUniqueId><DocumentUniqueId> </DocumentUniqueId>'),
      'parameter-missing',
    ],
    [
      'names a home that is none',
      one(
        '<HomeCommunityId>me</HomeCommunityId><RepositoryUniqueId>1</RepositoryUniqueId><DocumentUniqueId>4</DocumentUniqueId>',
      ),
      'parameter-invalid',
    ],
    ['is of another namespace', '<RetrieveDocumentSetRequest xmlns="urn:x"/>', 'request-malformed'],
    [
      'names more documents than anybody may ask for',
      encodeRetrieveRequest(Array.from({ length: 1_025 }, () => reference)),
      'parameter-count',
    ],
  ])('is refused when it %s, and the refusal repeats nothing of it', (_what, xml, code) => {
    expect(refusal(() => request(xml))).toBe(code)
  })
})

describe('a response with documents', () => {
  it('is read as it was written', () => {
    const errors = [
      {
        errorCode: 'XDSDocumentUniqueIdError',
        codeContext: 'no "such"',
        severity: 'error',
        location: reference.uniqueId,
      },
      { errorCode: 'XDSRepositoryError', codeContext: 'hm', severity: 'warning', location: `${home}` },
    ] as const
    const xml = encodeRetrieveResponse(
      [
        { ...reference, mimeType: 'application/pdf', content: { contentId: 'a b@c' } },
        {
          repositoryUniqueId: '5',
          uniqueId: '6',
          newRepositoryUniqueId: '7',
          newUniqueId: '8',
          mimeType: 'text/x-cda-r2+xml',
          content: { base64: 'QUJD' },
        },
      ],
      { status: 'partial-success', errors },
    )
    expect(response(xml)).toEqual({
      status: 'partial-success',
      documents: [
        { ...reference, mimeType: 'application/pdf', content: { contentId: 'a b@c' } },
        {
          repositoryUniqueId: '5',
          uniqueId: '6',
          newRepositoryUniqueId: '7',
          newUniqueId: '8',
          mimeType: 'text/x-cda-r2+xml',
          content: { bytes: Buffer.from('ABC') },
        },
      ],
      issues: [
        {
          severity: 'error',
          code: 'XDSDocumentUniqueIdError',
          text: 'no "such"',
          location: reference.uniqueId,
          uniqueId: reference.uniqueId,
        },
        { severity: 'warning', code: 'XDSRepositoryError', text: 'hm', location: home },
      ],
    })
  })

  const message = (inner: string, status = success) =>
    `<RetrieveDocumentSetResponse ${xdsb}><rs:RegistryResponse status="${status}">${inner}</RetrieveDocumentSetResponse>`
  const document = (inner: string) => message(`</rs:RegistryResponse><DocumentResponse>${inner}</DocumentResponse>`)
  const names = '<RepositoryUniqueId>1</RepositoryUniqueId><DocumentUniqueId>2</DocumentUniqueId>'

  it.each([
    ['the id alone', '1.2^3', '1.2^3'],
    ['a home alone', 'urn:oid:1.2.3', undefined],
    ['the id, then the home', '1.2^3 urn:oid:1.2.3', '1.2^3'],
    ['the home, then the id', 'urn:oid:1.2.3|1.2^3', '1.2^3'],
    ['both with a comma', 'urn:oid:1.2.3, 1.2^3', '1.2^3'],
  ])('tells which document an error is about: %s', (_what, location, uniqueId) => {
    const error = `<rs:RegistryErrorList><rs:RegistryError errorCode="X" codeContext="y" location="${location}"/></rs:RegistryErrorList>`
    const { issues } = response(message(`${error}</rs:RegistryResponse>`))
    expect(issues).toMatchObject([{ severity: 'error', code: 'X', location }])
    expect(issues[0]?.uniqueId).toBe(uniqueId)
  })

  it('may be a bare RegistryResponse with errors, and its error list in any namespace', () => {
    const list =
      '<RegistryErrorList xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><RegistryError errorCode="X"/></RegistryErrorList>'
    const xml = `<r:RegistryResponse xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" status="Failure">${list}</r:RegistryResponse>`
    expect(response(xml, 'RegistryResponse')).toEqual({
      status: 'failure',
      documents: [],
      issues: [{ severity: 'error', code: 'X', text: '' }],
    })
  })

  it('may have a document that is empty, of no known type, or told of with white space', () => {
    const { documents } = response(document(`${names}<Document/>`))
    expect(documents).toEqual([
      {
        repositoryUniqueId: '1',
        uniqueId: '2',
        mimeType: 'application/octet-stream',
        content: { bytes: Buffer.alloc(0) },
      },
    ])
    const indented = response(
      document(`${names}<mimeType> a/b\n</mimeType><Document>\n ${encodeInclude('x@y')}\n</Document>`),
    )
    expect(indented.documents).toMatchObject([{ mimeType: 'a/b', content: { contentId: 'x@y' } }])
  })

  it.each([
    ['has no RegistryResponse', `<RetrieveDocumentSetResponse ${xdsb}/>`],
    ['has no status', `<RetrieveDocumentSetResponse ${xdsb}><rs:RegistryResponse/></RetrieveDocumentSetResponse>`],
    ['has a status nobody knows', message('</rs:RegistryResponse>', 'Perhaps')],
    ['has a document without an id', document('<RepositoryUniqueId>1</RepositoryUniqueId><Document/>')],
    ['has a document without content', document(names)],
    ['has a document that is no base64', document(`${names}<Document>QU!D</Document>`)],
    [
      'has a document that lies elsewhere',
      document(
        `${names}<Document><x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="https://elsewhere/"/></Document>`,
      ),
    ],
    [
      'has a document in the place of another’s Include',
      document(`${names}<Document>QUJD${encodeInclude('a@b')}</Document>`),
    ],
  ])('is refused when it %s', (_what, xml) => {
    expect(refusal(() => response(xml))).toBe('community-misbehaved')
  })

  it('is refused when it is something else', () => {
    expect(refusal(() => response('<AdhocQueryResponse/>', 'AdhocQueryResponse'))).toBe('community-misbehaved')
  })
})

describe('what is written', () => {
  it('is valid after the schema of XDS.b', () => {
    const folder = new URL('../../../../contracts/ihe/xsd/', import.meta.url)
    const names = ['query.xsd', 'rim.xsd', 'rs.xsd', 'xdsb.xsd', 'xml.xsd']
    // As they are served: each names the others by a query.
    const served = names.map((name) => [`memory://service?xsd=${name}`, readFileSync(new URL(name, folder))] as const)
    xmlRegisterInputProvider(new XmlBufferInputProvider(Object.fromEntries(served)))
    const url = 'memory://service?xsd=xdsb.xsd'
    using schema = XmlDocument.fromBuffer(readFileSync(new URL('xdsb.xsd', folder)), { url })
    using validator = XsdValidator.fromDoc(schema)
    const error = { errorCode: 'XDSDocumentUniqueIdError', codeContext: 'x', severity: 'error', location: '1' } as const
    const written = [
      encodeRetrieveRequest([reference]),
      encodeRetrieveResponse([], { status: 'failure', errors: [error] }),
      encodeRetrieveResponse(
        [
          {
            ...reference,
            newRepositoryUniqueId: '7',
            newUniqueId: '8',
            mimeType: 'application/pdf',
            content: { base64: 'QUJD' },
          },
        ],
        { status: 'partial-success', errors: [error, { ...error, severity: 'warning' }] },
      ),
    ]
    for (const xml of written) {
      using document = XmlDocument.fromString(xml)
      expect(() => validator.validate(document)).not.toThrow()
    }
    using wrong = XmlDocument.fromString(encodeRetrieveRequest([reference]).replaceAll('DocumentUniqueId', 'Id'))
    expect(() => validator.validate(wrong)).toThrow(/Id/)
    xmlCleanupInputProvider()
  })
})

describe.skipIf(!present)(`the corpus's retrievals${reason}`, () => {
  const file = (name: string) => readFileSync(join(corpus, name))

  it.each([
    ['openxds__RetrieveDocumentSetRequest.xml', 1],
    ['gematik-epa__Requests-retrievedocument.xml', 12],
    ['shr-xds-b__retrieveDocumentsRequest-single.xml', 1],
    ['shr-xds-b__retrieveDocumentsRequest-multiple.xml', 2],
    ['bad/shr-xds-b__retrieveDocumentsRequest-unknown-repo.xml', 1],
  ])('%s names its documents', (name, count) => {
    const references = request(file(name))
    expect(references).toHaveLength(count)
    expect(request(encodeRetrieveRequest(references))).toEqual(references)
  })

  it('a response whose base64 was cut by whoever made the sample is refused', () => {
    expect(refusal(() => response(file('openxds__RetrieveDocumentSetResponse.xml')))).toBe('community-misbehaved')
  })

  it('a response tells of documents beside it, and of what it does not hand out', () => {
    const told = response(file('gematik-epa__Responses-retrievedocument-resp.xml'))
    expect(told.status).toBe('partial-success')
    expect(told.documents).toHaveLength(10)
    expect(told.issues.map(({ code }) => code)).toEqual(['XDSUnknownCommunity', 'XDSUnknownCommunity'])
  })

  it.each([
    ['openhim-xds__retrieveResponse_wSOAP.xml', 1],
    ['mtom/gematik-epa__Responses-retrievedocument-resp.xop', 10],
  ])('%s has every document it tells of', (name, count) => {
    const bytes = file(name)
    const head = /^HTTP\/[\s\S]*?\r?\n\r?\n/.exec(bytes.toString('latin1'))?.[0] ?? ''
    const boundary = /^--(\S+)/m.exec(bytes.toString('latin1', head.length))?.[1]
    const { root, attachments } = readPackage(
      `multipart/related; type="application/xop+xml"; boundary="${boundary}"`,
      bytes.subarray(head.length),
    )
    const ids = attachments.map(({ headers }) => headers.contentId)
    const { documents } = response(root.bytes)
    expect(documents.map(({ content }) => 'contentId' in content && content.contentId)).toEqual(ids)
    expect(ids).toHaveLength(count)
  })
})
