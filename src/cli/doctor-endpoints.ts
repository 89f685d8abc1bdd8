import { X509Certificate } from 'node:crypto'
import { ConfigError, type LoadedConfig } from '../config/load.ts'
import type { Clock } from '../core/ports.ts'
import { anchorReader } from '../parties.ts'
import { readKeySet } from '../trust/jwt/key-set.ts'
import { commonNameOf } from '../trust/x509/certificate.ts'
import { distrust, type TrustAnchors } from '../trust/x509/chain.ts'
import { expiries } from '../trust/x509/expiry.ts'
import { readTree, XmlError } from '../wire/xml.ts'
import { readableFacts } from './doctor-expiry.ts'
import type { OwnKeys } from './doctor-keys.ts'
import { namedIn, type Server } from './doctor-named.ts'
import { type Probe, probe } from './doctor-probe.ts'
import { dayOf, type Finding, fail, ok, warn } from './finding.ts'

/** How long one endpoint is waited for, whatever it does. */
const deadlineMs = 5_000

/** Asks every server of the configuration at the same time, and compares their clocks with ours. */
export async function endpointFindings(
  config: LoadedConfig,
  tls: OwnKeys['tls'],
  clock: Clock,
): Promise<readonly Finding[]> {
  const { servers } = namedIn(config.federation)
  const visited = await Promise.all(servers.map((server) => visit(config, server, tls, clock)))
  return [...visited.flatMap(({ findings }) => findings), clockFinding(visited, config.federation.gateway.clockSkewMs)]
}

interface Visited {
  readonly findings: readonly Finding[]
  readonly what: string
  readonly clockAheadMs?: number | undefined
}

async function visit(config: LoadedConfig, server: Server, tls: OwnKeys['tls'], clock: Clock): Promise<Visited> {
  const { what, url } = server
  const trust = anchorsOf(config, server)
  if (tls === undefined || trust === undefined) {
    const advice = 'mend what is told above of our TLS key and of the anchors for this server, and ask again'
    return { what, findings: [warn(what, 'not asked: no connection can be made', advice)] }
  }
  const { kind, address } = serviceOf(server)
  const result = await probe(address, {
    ...tls,
    ca: trust.anchors.map((anchor) => anchor.toString()),
    judge: (certificate, supplied) => {
      const others = supplied.map((one) => new X509Certificate(one))
      return distrust(new X509Certificate(certificate), others, trust, { use: 'server' }, clock.now())
    },
    deadlineMs,
  })
  const where = `${url.host}${url.pathname}`
  const findings = [
    dnsFinding(`${what} dns`, url, result),
    ...connectionFindings(`${what} tls`, where, result, clock.now()),
    ...answerFindings(`${what} ${kind}`, kind, result),
  ]
  return { findings, what, clockAheadMs: result.answer?.clockAheadMs }
}

/** Undefined when one of the files cannot be used; that is told with the files. */
function anchorsOf(config: LoadedConfig, { anchors, lists }: Server): TrustAnchors | undefined {
  try {
    return anchorReader(config)({ anchors, revocationLists: lists })
  } catch (error) {
    if (error instanceof ConfigError) return undefined
    throw error
  }
}

type ServiceKind = 'wsdl' | 'metadata' | 'keys' | 'http'

/** What may be fetched without asking about anybody: the contract of a SOAP service, the capabilities of a FHIR face. */
function serviceOf({ serves, url }: Server): { readonly kind: ServiceKind; readonly address: URL } {
  if (serves === 'key-set') return { kind: 'keys', address: url }
  if (serves === 'fhir') return { kind: 'metadata', address: new URL(`${url.href.replace(/\/$/, '')}/metadata`) }
  // Nothing stands at the root of a server whose services have paths of their own.
  const isRoot = url.pathname === '/' && url.search === ''
  if (serves === 'anything' || isRoot) return { kind: 'http', address: url }
  const address = new URL(url)
  address.search = url.search === '' ? '?wsdl' : `${url.search}&wsdl`
  return { kind: 'wsdl', address }
}

function dnsFinding(what: string, { hostname }: URL, { addresses, failure }: Probe): Finding {
  if (addresses !== undefined) return ok(what, `${hostname} is ${addresses.join(', ')}`)
  return fail(
    what,
    `${hostname}: ${failure?.reason ?? 'unknown'}`,
    'mend the name, or the name service of this machine',
  )
}

function connectionFindings(
  what: string,
  where: string,
  { failure, peer, protocol }: Probe,
  now: number,
): readonly Finding[] {
  if (failure?.stage === 'dns') return []
  const facts = peer === undefined ? undefined : readableFacts(peer)
  const name = peer === undefined ? undefined : (commonNameOf(peer) ?? facts?.subject ?? 'a server without a name')
  const until = facts === undefined ? '' : `, valid until ${dayOf(facts.notAfter)}`
  const met = name === undefined ? where : `${where}: ${protocol ?? 'TLS'}, ${name} answered${until}`
  if (failure !== undefined && failure.stage !== 'answer') {
    return [fail(what, `${met}: ${failure.reason}`, connectionAdvice(failure.stage, failure.reason))]
  }
  if (peer === undefined || facts === undefined) return [ok(what, met)]
  const [expiry] = expiries([{ name: what, certificate: peer }], now)
  if (expiry?.threshold === undefined) return [ok(what, met)]
  return [warn(what, `${met}, ${expiry.daysLeft} days left`, 'tell its operators to renew it')]
}

const advices: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there: mend the address or the port, or tell its operators',
  'no-answer-in-time': 'see whether a firewall stands between, and tell its operators',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the server’s certificate has another name: mend the address, or tell its operators',
  CERT_HAS_EXPIRED: 'the server’s certificate is over: tell its operators',
  CERT_NOT_YET_VALID: 'check the clock of this machine, then tell its operators',
  'certificate-revoked': 'the server’s certificate is revoked: do not believe it, and tell its operators',
  'revocation-list-stale': 'fetch the newest list in its revocation lists',
  'revocation-unknown': 'add the list of the server’s own authority to its revocation lists',
}

const unbelieved: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'certificate-not-issued-by-an-anchor-of-the-issuer',
])

const refusedUs = 'they may not accept our certificate: have its authority and common name entered there'

function connectionAdvice(stage: string, reason: string): string {
  if (unbelieved.has(reason)) {
    return 'no anchor configured for it vouches for it: make sure who answers, then add the authority that issued it'
  }
  const known = advices[reason]
  if (known !== undefined) return known
  return stage === 'tls' ? refusedUs : 'see whether the address is right and the network lets us through'
}

function answerFindings(what: string, kind: ServiceKind, { answer, failure }: Probe): readonly Finding[] {
  if (failure !== undefined) {
    if (failure.stage !== 'answer') return []
    const advice = advices[failure.reason] ?? refusedUs
    return [fail(what, `no answer after the handshake: ${failure.reason}`, advice)]
  }
  if (answer === undefined) return []
  const { body, status } = answer
  if (kind === 'http') return [ok(what, `answered with status ${status}`)]
  if (kind === 'metadata' && status === 401) return [ok(what, 'status 401: it wants a token, as it should')]
  if (status === 401 || status === 403) {
    return [warn(what, `status ${status}`, 'ask its operators whether we are admitted')]
  }
  const asks = 'see whether the address is that of the service'
  if (kind === 'keys') {
    if (status === 200 && isKeySet(body)) return [ok(what, `status 200, ${body.length} bytes`)]
    return [fail(what, `status ${status}, and no key set`, asks)]
  }
  if (status !== 200) return [warn(what, `status ${status}`, `${asks}; some publish no contract`)]
  if (kind === 'wsdl' && !isWsdl(body))
    return [warn(what, 'status 200, and no WSDL', `${asks}; some publish no contract`)]
  return [ok(what, `status 200, ${body.length} bytes`)]
}

function isKeySet(body: Buffer): boolean {
  try {
    return readKeySet(body).keys.length > 0
  } catch {
    return false
  }
}

function isWsdl(body: Buffer): boolean {
  try {
    const tree = readTree(body)
    return ['definitions', 'description'].includes(tree.local(tree.root))
  } catch (error) {
    if (error instanceof XmlError) return false
    throw error
  }
}

/** Dates come in whole seconds. */
const resolutionMs = 1_000

function clockFinding(visited: readonly Visited[], skewMs: number): Finding {
  const told = visited.flatMap(({ clockAheadMs, what = '' }) =>
    clockAheadMs === undefined ? [] : [{ clockAheadMs, what }],
  )
  if (told.length === 0)
    return warn('clock', 'no endpoint told the time', 'see to it that this machine keeps time (NTP)')
  const off = told.filter(({ clockAheadMs }) => Math.abs(clockAheadMs) > skewMs + resolutionMs)
  const worst = Math.max(...told.map(({ clockAheadMs }) => Math.abs(clockAheadMs)))
  const found = `differs from ${told.length} endpoints by ${Math.ceil(worst / 1_000)} s at most`
  if (off.length === 0) return ok('clock', found)
  const whose = off.length === told.length ? 'all of them' : off.map(({ what }) => what).join(', ')
  const advice =
    off.length === told.length
      ? 'set the clock of this machine (NTP)'
      : 'tell their operators, or raise gateway.clockSkewMs'
  return warn('clock', `${found}; more than gateway.clockSkewMs (${skewMs} ms) from ${whose}`, advice)
}
