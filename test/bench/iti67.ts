import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { identityOf } from '../../src/cli/parties.ts'
import { authorities } from '../../src/core/model/patient.ts'
import { clinician } from '../support/builders.ts'
import { certificates, communityInput, writeGatewayConfig } from '../support/gateway-config.ts'
import { creation, pairOf, publicJwk, signedToken } from '../support/jwt.ts'
import type { Measurement } from './measurement.ts'
import { perCore } from './per-core.ts'

const audience = 'https://crocevia.example'
const issuer = 'https://login.example'
const signer = pairOf('portal')
const patient = 'PROVAX00X00X000Y'

/** ITI-67 searches per second of processor time, each answered with 10 documents whose entries are cached. */
export function iti67Cached(): Promise<Measurement> {
  const identity = identityOf('portal', certificates)
  const authorization = `Bearer ${accessToken()}`
  const form = new URLSearchParams({
    'patient.identifier': `urn:oid:${authorities.codiceFiscale}|${patient}`,
    status: 'current',
  }).toString()
  return perCore({
    ...{ bench: 'iti67-cached', identity, configure, echoesAnswers: true, perRound: 2_000 },
    message: async (origin) => ({
      ...{ url: `${origin}/fhir/DocumentReference/_search`, method: 'POST' as const, body: form },
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization },
      ...{ signal: AbortSignal.timeout(600_000), idempotent: true },
      ...{ told: '"resourceType":"DocumentReference"', times: 10 },
    }),
  })
}

/** One token of one user, as a portal sends it with everything it asks for them. */
function accessToken(): string {
  const iat = Math.floor(Date.now() / 1000)
  const claims = { ...creation, action_id: 'READ', sub: clinician, resource_hl7_type: undefined }
  const person = `${patient}^^^&${authorities.codiceFiscale}&ISO`
  const own = { iss: issuer, aud: audience, iat, exp: iat + 3_600, jti: randomUUID(), person_id: person }
  return signedToken({ alg: 'RS256', typ: 'at+jwt', kid: 'bench' }, { ...claims, ...own }, signer.key)
}

async function configure(record: string) {
  const cache = { ttlMs: 600_000, entries: 1_000 }
  const written = await writeGatewayConfig(
    [communityInput('tuscany', 'tuscany', { protocol: 'xds', registry: `${record}/` }, { cache })],
    { api: { requestsPerMinute: 10_000_000 } },
  )
  const jwks = join(written.folder, 'jwks.json')
  await writeFile(jwks, JSON.stringify({ keys: [publicJwk(signer, 'bench')] }))
  const config = JSON.parse(await readFile(written.file, 'utf8')) as {
    readonly consumers: readonly { readonly name: string; readonly trust: object }[]
  }
  const tokens = { profile: 'portal', issuer, audience: [audience], jwks: { file: jwks } }
  const consumers = config.consumers.map((one) => {
    return one.name === 'portal' ? { ...one, trust: { ...one.trust, tokens } } : one
  })
  await writeFile(written.file, JSON.stringify({ ...config, consumers }))
  return written
}
