import { constants, createPrivateKey, type SigningOptions, sign } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { parseArgs } from 'node:util'

/**
 * A signer in a process of its own, as a daemon before a token would be: `node test/support/signer-process.ts
 * --certificate chain.pem --key key.pem (--socket path | --port number)`. It reads both files once, prints one line of
 * JSON when it listens (`{"socket": …}` or `{"port": …}`) and ends on SIGTERM. It shares no code with the gateway.
 */

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
const raw = { dsaEncoding: 'ieee-p1363' } as const
const algorithms: Readonly<Record<string, readonly [digest: string, options: SigningOptions]>> = {
  RS256: ['sha256', {}],
  RS384: ['sha384', {}],
  RS512: ['sha512', {}],
  PS256: ['sha256', pss],
  PS384: ['sha384', pss],
  PS512: ['sha512', pss],
  ES256: ['sha256', raw],
  ES384: ['sha384', raw],
  ES512: ['sha512', raw],
}
const largestRequest = 2_000_000

const { values } = parseArgs({
  options: {
    certificate: { type: 'string' },
    key: { type: 'string' },
    socket: { type: 'string' },
    port: { type: 'string' },
  },
})
if (values.certificate === undefined || values.key === undefined || (values.socket ?? values.port) === undefined) {
  console.error('signer-process --certificate <pem> --key <pem> (--socket <path> | --port <number>)')
  process.exit(2)
}
const chain = readFileSync(values.certificate)
const key = createPrivateKey(readFileSync(values.key))

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > largestRequest) throw new Error('too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function signatureFor(text: string): string {
  const asked: unknown = JSON.parse(text)
  if (typeof asked !== 'object' || asked === null || !('algorithm' in asked) || !('data' in asked)) {
    throw new Error('not a request')
  }
  const [digest, options] = algorithms[String(asked.algorithm)] ?? []
  if (digest === undefined) throw new Error('unknown algorithm')
  return sign(digest, Buffer.from(String(asked.data), 'base64'), { key, ...options }).toString('base64')
}

const server = createServer((request, response) => {
  const answer = (status: number, type: string, body: string | Buffer): void => {
    response.writeHead(status, { 'content-type': type }).end(body)
  }
  if (request.method === 'GET' && request.url === '/certificate') {
    answer(200, 'application/pem-certificate-chain', chain)
  } else if (request.method === 'POST' && request.url === '/sign') {
    textOf(request)
      .then((text) => answer(200, 'application/json', JSON.stringify({ signature: signatureFor(text) })))
      .catch(() => answer(400, 'application/json', JSON.stringify({ error: 'request-refused' })))
  } else {
    answer(404, 'application/json', JSON.stringify({ error: 'unknown' }))
  }
})

process.on('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
if (values.socket === undefined) {
  server.listen(Number(values.port), '127.0.0.1')
} else {
  // Whoever can open the socket can sign: it belongs to one user. What a killed process left is in the way.
  process.umask(0o077)
  rmSync(values.socket, { force: true })
  server.listen(values.socket)
}
await once(server, 'listening')
const address = server.address()
console.log(JSON.stringify(typeof address === 'string' ? { socket: address } : { port: address?.port }))
