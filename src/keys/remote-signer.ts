import type { KeyObject, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { GatewayError } from '../core/errors.ts'
import { type SignatureAlgorithm, signatureHolds, unfitKey } from '../trust/algorithms.ts'
import type { Signer } from '../trust/signer.ts'
import { certificatesOf } from '../trust/x509/certificate.ts'
import { intermediatesAbove } from './chain.ts'
import { usualAlgorithm } from './key-kind.ts'
import {
  type SignerAddress,
  type SignerAnswer,
  type SignerRequest,
  SignerSilent,
  signerChannel,
} from './signer-channel.ts'

export interface RemoteSignerOptions {
  readonly address: SignerAddress
  /** How long one signature may take, waiting for a connection included. */
  readonly deadlineMs: number
  /** Signatures made at one time. */
  readonly concurrency: number
  /** Signatures that may wait for their turn; one more is refused with `overloaded`. */
  readonly queue: number
  /** Ends the signer: what is under way fails, and so does whatever is asked afterwards. */
  readonly signal?: AbortSignal
}

/**
 * A signer whose key lives in another process of this machine: a daemon before a PKCS#11 token or an HSM. It speaks
 * HTTP/1.1 over a Unix domain socket or a port of 127.0.0.1:
 *
 * - `GET /certificate` answers 200 with PEM (`application/pem-certificate-chain`): the key's certificate, then others;
 * - `POST /sign` with `{"algorithm": "RS256", "data": "<base64>"}` answers 200 with `{"signature": "<base64>"}`:
 *   PKCS#1 v1.5, PSS, or r and s side by side, by the name of the algorithm (RFC 7518 §3.1);
 * - any other status is a refusal.
 *
 * The first signature over each connection is checked against the certificate: a process that came back with another
 * key is noticed. Failures are GatewayError: `overloaded` (`signer-busy`) or `internal` with one of the reasons
 * `signer-unavailable`, `signer-refused`, `signer-misbehaved`, `signer-key-changed`, `key-of-unsupported-kind`,
 * `key-too-short`, `key-and-algorithm-do-not-fit`.
 */
export async function remoteSigner(options: RemoteSignerOptions): Promise<Signer> {
  const { address, concurrency, queue, deadlineMs, signal } = options
  const channel = signerChannel(address, concurrency, deadlineMs)
  if (signal?.aborted) channel.close()
  const close = (): void => channel.close()
  signal?.addEventListener('abort', close, { once: true })
  const proven = new WeakSet<Socket>()

  async function ask(request: SignerRequest): Promise<SignerAnswer> {
    if (channel.pending >= concurrency + queue) {
      throw new GatewayError('overloaded', 'Too many signatures are under way', { details: { reason: 'signer-busy' } })
    }
    const answer = await channel.ask(request).catch((error: unknown) => {
      if (!(error instanceof SignerSilent)) throw error
      if (error.phase === 'answer-too-large') throw failed('signer-misbehaved', { phase: error.phase }, error.cause)
      throw failed('signer-unavailable', { phase: error.phase }, error.cause)
    })
    if (answer.status !== 200) throw failed('signer-refused', { status: answer.status })
    return answer
  }

  async function introduction() {
    const { body } = await ask({ method: 'GET', path: '/certificate' })
    const { certificate, intermediates } = chainOf(body.toString('latin1'))
    const { publicKey } = certificate
    const kind = usualAlgorithm(publicKey)
    if ('unfit' in kind) throw failed(kind.unfit)
    return { certificate, intermediates, publicKey, usual: kind.algorithm }
  }

  const { certificate, intermediates, publicKey, usual } = await introduction().catch((error: unknown) => {
    signal?.removeEventListener('abort', close)
    close()
    throw error
  })

  return {
    certificate,
    intermediates,
    algorithm: usual,
    async sign(data, algorithm = usual) {
      const unfit = unfitKey(algorithm, publicKey)
      if (unfit !== undefined) throw failed(unfit)
      const asked = JSON.stringify({ algorithm, data: Buffer.from(data).toString('base64') })
      const { body, connection } = await ask({ method: 'POST', path: '/sign', body: asked })
      const signature = signatureOf(body)
      if (!proven.has(connection)) {
        prove(algorithm, data, publicKey, signature)
        proven.add(connection)
      }
      return signature
    },
  }
}

function failed(reason: string, details: Readonly<Record<string, string | number>> = {}, cause?: unknown) {
  return new GatewayError('internal', 'The gateway could not sign', { details: { reason, ...details }, cause })
}

function prove(algorithm: SignatureAlgorithm, data: Uint8Array, key: KeyObject, signature: Uint8Array): void {
  if (!signatureHolds(algorithm, data, key, signature)) throw failed('signer-key-changed')
}

function chainOf(pem: string): { certificate: X509Certificate; intermediates: readonly X509Certificate[] } {
  try {
    const [certificate, ...others] = certificatesOf(pem)
    const intermediates = certificate && intermediatesAbove(certificate, others)
    if (certificate && intermediates) return { certificate, intermediates }
  } catch (error) {
    throw failed('signer-misbehaved', {}, error)
  }
  throw failed('signer-misbehaved')
}

function signatureOf(body: Buffer): Uint8Array {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    throw failed('signer-misbehaved')
  }
  const text = typeof value === 'object' && value !== null && 'signature' in value ? value.signature : undefined
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw failed('signer-misbehaved')
  return Buffer.from(text, 'base64')
}
