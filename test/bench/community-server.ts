import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { certificates } from '../support/gateway-config.ts'
import { findDocumentsAnswer } from './find-documents-answer.ts'

/**
 * A process of its own that answers every question with the same entries after a fixed time, over mutual TLS: arguments
 * are the delay in milliseconds, the home of its entries, a number that keeps its ids apart from others', and how many.
 */
const [delay = '100', home = '', offset = '0', count = '100'] = process.argv.slice(2)
const file = (name: string) => readFileSync(join(certificates, name))

// Each community tells of its own documents: unique ids and registry ids differ, everything else is alike.
const answer = findDocumentsAnswer(Number(count))
  .toString('utf8')
  .replaceAll('<ns2:ExtrinsicObject id=', `<ns2:ExtrinsicObject home="${home}" id=`)
  .replaceAll('2.9.2.30.4.4^', `2.9.2.30.4.4^${offset}-`)
  .replace(/<wsa:RelatesTo>[^<]*<\/wsa:RelatesTo>/, '')

const server = createServer(
  {
    cert: file('region-050/tls.crt.pem'),
    key: file('region-050/tls.key.pem'),
    ca: file('ca.pem'),
    requestCert: true,
    rejectUnauthorized: true,
  },
  (request, response) => {
    request.resume()
    request.once('end', () => {
      wait(Number(delay)).then(() => {
        response.writeHead(200, { 'content-type': 'application/soap+xml; charset=utf-8' })
        response.end(answer)
      }, console.error)
    })
  },
)
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))
