import type { X509Certificate } from 'node:crypto'
import type { Federation } from '../config/federation.ts'
import { ConfigError, type LoadedConfig } from '../config/load.ts'
import { GatewayError } from '../core/errors.ts'
import { signatureHolds } from '../trust/algorithms.ts'
import type { Signer } from '../trust/signer.ts'
import { certificatesOf } from '../trust/x509/certificate.ts'
import { distrust } from '../trust/x509/chain.ts'
import { loadTrustMaterial } from '../trust-material.ts'
import { readableFacts } from './doctor-expiry.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

/** Our own keys, as far as they can be used. */
export interface OwnKeys {
  readonly findings: readonly Finding[]
  readonly tls?: { readonly cert: string; readonly key: string; readonly certificate: X509Certificate }
  readonly signer?: Signer
}

type Identity = Federation['gateway']['identity']

/** Loads both keys as the gateway does, each by itself, and signs with the one that signs. `signal` ends a signer process. */
export async function examineKeys(config: LoadedConfig, signal: AbortSignal): Promise<OwnKeys> {
  const { signing, tls } = config.federation.gateway.identity
  const load = async (identity: Identity) => await loadTrustMaterial(onlyKeys(config, identity), signal)
  const findings: Finding[] = []
  const attempt = async <T>(what: string, use: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await use()
    } catch (error) {
      findings.push(keyFinding(what, error))
      return undefined
    }
  }
  const channel = await attempt('gateway.identity.tls', async () => {
    const material = await load({ tls, signing: tls })
    const [certificate] = certificatesOf(material.tls.cert)
    return certificate === undefined ? undefined : { ...material.tls, certificate }
  })
  if (channel !== undefined)
    findings.push(ok('gateway.identity.tls', `${keyOf(channel.certificate)}, key and certificate belong together`))
  const signer = await attempt('gateway.identity.signing', async () => {
    // The TLS key stands in for itself: its own faults are told above.
    const { signer } = await load({ tls: 'signer' in signing ? tls : signing, signing })
    await requireSignature(signer)
    return signer
  })
  if (signer !== undefined) {
    const where = 'signer' in signing ? 'the signer process answers and' : 'the key'
    findings.push(
      ok('gateway.identity.signing', `${keyOf(signer.certificate)}, ${where} signs with ${signer.algorithm}`),
    )
  }
  return {
    findings,
    ...(channel === undefined ? {} : { tls: channel }),
    ...(signer === undefined ? {} : { signer }),
  }
}

/** The same configuration without anybody else, to load our keys by themselves. */
function onlyKeys(config: LoadedConfig, identity: Identity): LoadedConfig {
  const { federation } = config
  const gateway = { ...federation.gateway, identity }
  return { ...config, federation: { ...federation, gateway, communities: [], consumers: [] } }
}

async function requireSignature(signer: Signer): Promise<void> {
  const data = Buffer.from('crocevia doctor')
  const signature = await signer.sign(data)
  if (!signatureHolds(signer.algorithm, data, signer.certificate.publicKey, signature)) {
    throw new GatewayError('internal', 'The signature does not hold', { details: { reason: 'signer-key-changed' } })
  }
}

const advices: Readonly<Record<string, string>> = {
  'file-missing': 'put the file there, or mend the path',
  'file-unreadable': 'name a file that the user of the gateway may read',
  'file-too-large': 'name a file with keys and certificates only',
  'certificate-missing': 'put the certificate there, in PEM, ours first and then those above it',
  'certificate-malformed': 'copy the certificate there again, whole',
  'certificates-not-a-chain': 'put ours first, then the one that issued it, and leave others out',
  'key-missing': 'put the private key there',
  'key-malformed': 'copy the private key there again, whole',
  'key-ambiguous': 'leave only the key of the certificate in the file',
  'key-of-another-certificate': 'put the key and the certificate there that were made for each other',
  'key-of-unsupported-kind': 'use RSA, or ECDSA over P-256, P-384 or P-521',
  'key-too-short': 'use RSA of 2048 bits at least',
  'passphrase-missing': 'name the file with the passphrase in `passphrase`',
  'passphrase-wrong': 'mend the passphrase in its file; a damaged key looks the same',
  'pkcs12-malformed': 'export the PKCS#12 file again',
  'pkcs12-unsupported': 'export it with AES or 3DES, with keys and certificates only',
  'signer-unavailable': 'start the signer process, or mend its address',
  'signer-busy': 'give the signer process time, or more of it',
  'signer-refused': 'see the log of the signer process',
  'signer-misbehaved': 'mend the signer process: it does not speak as docs say',
  'signer-key-changed': 'let the signer process give the certificate of the key that it signs with',
}

function keyFinding(what: string, error: unknown): Finding {
  if (error instanceof ConfigError) {
    const [{ message, path } = { message: 'cannot be used', path: what }] = error.faults
    return fail(what, `${path}: ${message}`, advices[message] ?? 'mend the files')
  }
  const reason = error instanceof GatewayError ? String(error.details.reason ?? error.code) : undefined
  if (reason !== undefined) return fail(what, reason, advices[reason] ?? 'see to the signer process')
  return fail(what, 'cannot be used', 'use RSA of 2048 bits at least, or ECDSA over P-256, P-384 or P-521')
}

function keyOf({ publicKey: { asymmetricKeyDetails: details, asymmetricKeyType } }: X509Certificate): string {
  if (asymmetricKeyType === 'rsa') return `RSA of ${details?.modulusLength} bits`
  return `ECDSA over ${details?.namedCurve ?? 'an unknown curve'}`
}

interface Purpose {
  readonly use: 'client' | 'signature'
  readonly usages: readonly ('digitalSignature' | 'keyEncipherment' | 'nonRepudiation')[]
  readonly policy: string
  readonly name: RegExp
}

/** What the national gateway's rules want of a certificate (ini.md §5.4, rules 1, 2 and 8). */
const purposes: Readonly<Record<'tls' | 'signing', Purpose>> = {
  tls: {
    use: 'client',
    usages: ['digitalSignature', 'keyEncipherment'],
    policy: '1.3.76.29.1.10',
    name: /^A[0-9]+#([A-Za-z0-9]{3})/,
  },
  signing: {
    use: 'signature',
    usages: ['nonRepudiation'],
    policy: '1.3.76.29.1.11',
    name: /^S[0-9]+#([A-Za-z0-9]{3})/,
  },
}

/** Who issued our certificates, whether that is anybody known here, and whether they are for what they are used for. */
export function chainFindings(
  keys: OwnKeys,
  anchors: readonly X509Certificate[],
  { gateway }: Federation,
  now: number,
): readonly Finding[] {
  const own = [
    {
      use: 'tls',
      certificate: keys.tls?.certificate,
      others: keys.tls === undefined ? [] : certificatesOf(keys.tls.cert).slice(1),
    },
    { use: 'signing', certificate: keys.signer?.certificate, others: keys.signer?.intermediates ?? [] },
  ] as const
  return own.flatMap(({ use, certificate, others }) => {
    if (certificate === undefined) return []
    const what = `gateway.identity.${use}`
    return [
      issuerFinding(what, certificate, others, anchors, purposes[use].use, now),
      ...purposeFindings(what, certificate, purposes[use], gateway),
    ]
  })
}

function issuerFinding(
  what: string,
  certificate: X509Certificate,
  others: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  use: Purpose['use'],
  now: number,
): Finding {
  const above = others.length === 0 ? '' : `, with ${others.length} above it`
  const issued = `${nameIn(certificate.subject)}, issued by ${nameIn(certificate.issuer)}${above}`
  const reason = distrust(certificate, others, { anchors }, { use }, now)
  if (reason === undefined) return ok(what, issued)
  if (reason === 'certificate-not-issued-by-an-anchor-of-the-issuer') {
    const advice = 'make sure that peers know its issuer; if that is no root, add its certificate after ours'
    return warn(what, `${issued}, whom no anchor of this configuration vouches for`, advice)
  }
  return fail(what, `${issued}: ${reason}`, 'peers will refuse it as well: have another one issued')
}

function purposeFindings(
  what: string,
  certificate: X509Certificate,
  wanted: Purpose,
  gateway: Federation['gateway'],
): readonly Finding[] {
  const facts = readableFacts(certificate)
  // That it cannot be read is told with its end.
  if (facts === undefined) return []
  const { commonName = '', keyUsage, policies } = facts
  const missing = wanted.usages.filter((usage) => keyUsage?.has(usage) !== true)
  const region = wanted.name.exec(commonName)?.[1]
  const faults = [
    ...(missing.length === 0 ? [] : [`key usage lacks ${missing.join(' and ')}`]),
    ...(policies.includes(wanted.policy) ? [] : [`policy ${wanted.policy} is missing`]),
    ...(region === undefined ? ['the common name is not of the national form'] : []),
    ...(region === undefined || region === gateway.organization.code
      ? []
      : [`the common name is of ${region}, not ${gateway.organization.code}`]),
  ]
  if (faults.length === 0)
    return [ok(what, `key usage, policy ${wanted.policy} and common name are as the national rules want`)]
  return faults.map((fault) =>
    warn(what, fault, 'the national gateway may refuse it: ask for a certificate by its rules'),
  )
}

function nameIn(subject: string | undefined): string {
  return /^CN=(.*)$/m.exec(subject ?? '')?.[1] ?? subject?.replaceAll('\n', ', ') ?? 'nobody'
}
