import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { encodeRetrieveResponse } from '../../src/wire/ebrim/retrieve.ts'
import { writePackage } from '../../src/wire/mtom/write.ts'
import { encodeEnvelope } from '../../src/wire/soap.ts'
import { certificates } from '../support/gateway-config.ts'
import { findDocumentsAnswer } from './find-documents-answer.ts'
import { noise } from './mtom-split.ts'

/**
 * A process of its own that holds one document, over mutual TLS: `/registry` tells its entry whatever is asked,
 * `/repository` hands it out as MTOM. Arguments are its size in bytes and the ids that `findDocumentsAnswer` gives it.
 */
const [size = '0', repositoryUniqueId = '', uniqueId = ''] = process.argv.slice(2)
const file = (name: string) => readFileSync(join(certificates, name))

const content = noise(Number(size))
const sha1 = createHash('sha1').update(content).digest('hex')
const entry = findDocumentsAnswer(1)
  .toString('utf8')
  .replace(/<wsa:RelatesTo>[^<]*<\/wsa:RelatesTo>/, '')
  .replace(/(name="size">\s*<ns2:ValueList>\s*<ns2:Value>)[^<]*/, `$1${size}`)
  .replace(/(name="hash">\s*<ns2:ValueList>\s*<ns2:Value>)[^<]*/, `$1${sha1}`)

const contentId = 'document@holder'
const told = { repositoryUniqueId, uniqueId, mimeType: 'application/pdf', content: { contentId } }
const root = encodeEnvelope(
  {
    action: 'urn:ihe:iti:2007:RetrieveDocumentSetResponse',
    messageId: 'urn:uuid:0c9d7c34-4f6f-4a55-9c55-1c3a6c2b9d22',
  },
  encodeRetrieveResponse([told], { status: 'success', errors: [] }),
)
const written = writePackage({
  ...{ boundary: 'MIME_5d3b1c5291f04a5b8a0e6f0f3a1d7c11', rootId: 'root@holder', soap: '1.2', root: Buffer.from(root) },
  parts: [{ contentId, contentType: 'application/pdf', chunks: content }],
})
const pieces: Uint8Array[] = []
for await (const piece of written.body) pieces.push(piece)
const answer = Buffer.concat(pieces)

/** In pieces, as from a disk: at once the whole would be encrypted before a byte left. */
async function send(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': written.contentType, 'content-length': answer.length })
  const pieceBytes = 262_144
  for (let at = 0; at < answer.length; at += pieceBytes) {
    if (!response.write(answer.subarray(at, at + pieceBytes))) await once(response, 'drain')
  }
  response.end()
}

const server = createServer(
  {
    cert: file('tuscany/tls.crt.pem'),
    key: file('tuscany/tls.key.pem'),
    ca: file('ca.pem'),
    requestCert: true,
    rejectUnauthorized: true,
  },
  (request, response) => {
    request.resume()
    request.once('end', () => {
      if (request.url === '/registry') {
        response.writeHead(200, { 'content-type': 'application/soap+xml; charset=utf-8' })
        response.end(entry)
      } else send(response).catch(() => response.destroy())
    })
  },
)
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))
