import { randomUUID } from 'node:crypto'
import { organizationHome } from '../../contracts/affinity-domain/organizations.ts'
import { clientOf } from '../communities.ts'
import type { SistemaTsTools } from '../config/adapter.ts'
import type { CommunityConfig, Federation } from '../config/federation.ts'
import { ConfigError, type LoadedConfig, loadConfig } from '../config/load.ts'
import type { AuthorizedCall } from '../core/model/call.ts'
import { correlationId, homeCommunityId } from '../core/model/identifiers.ts'
import type { PatientId } from '../core/model/patient.ts'
import type { SistemaTsMaterial } from '../sistema-ts/material.ts'
import { sistemaTsOf } from '../sistema-ts/tools.ts'
import { basicAuthorization } from '../trust/sistema-ts/channel.ts'
import { encipherer } from '../trust/sistema-ts/encryption.ts'
import { loadTrustMaterial } from '../trust-material.ts'
import { formatCx } from '../wire/hl7/cx.ts'
import type { TsResponse } from '../wire/sistema-ts/fault.ts'
import { soap11Type, soapActionOf } from '../wire/soap11.ts'
import { CliError } from './exit.ts'
import { type Recorded, recording } from './recording.ts'

/** Sistema TS as one configuration speaks to it. */
export interface TsEndpoint extends AsyncDisposable {
  readonly entry: CommunityConfig
  readonly gateway: Federation['gateway']
  readonly tools: SistemaTsTools
  readonly material: SistemaTsMaterial
  readonly recorded: readonly Recorded[]
  /** What must not be shown. */
  readonly secrets: readonly string[]
  readonly homeOf: typeof organizationHome
  /** The service of sessions takes name and password alone, and no session of course (sistema-ts.md A.6). */
  postWithBasic(request: { url: string; action: string; body: string; signal: AbortSignal }): Promise<TsResponse>
  /** Our pincode, enciphered anew. */
  pinCode(): { readonly ciphertext: string }
}

/**
 * Connects one community as the gateway does: its `sistemaTs`, our keys and its anchors, without guard and cache. Opens no
 * connection yet. Throws CliError for a configuration that cannot be used.
 */
export async function tsEndpoint(path: string, name: string): Promise<TsEndpoint> {
  try {
    return await opened(loadConfig(path), name)
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError('usage', error.message)
    throw error
  }
}

async function opened(config: LoadedConfig, name: string): Promise<TsEndpoint> {
  const entry = config.federation.communities.find((one) => one.name === name)
  if (entry?.sistemaTs === undefined) {
    throw new CliError('usage', `--community: ${name} is no community of the configuration that has sistemaTs`)
  }
  await using opening = new AsyncDisposableStack()
  const ending = new AbortController()
  opening.defer(() => ending.abort())
  const clock = { now: () => Date.now() }
  const alone = onlyOf(config, entry)
  const loaded = await loadTrustMaterial(alone, ending.signal)
  const material = loaded.sistemaTs.get(name)
  if (material === undefined) throw new CliError('unexpected', 'the files of the community were not read')
  const { client, recorded } = recording(opening.use(clientOf(entry, alone, () => loaded, clock)))
  const { gateway } = config.federation
  const access = sistemaTsOf(entry, {
    ...{ clock, client, gateway, material: () => material, signer: () => loaded.signer },
    onRefusal: () => undefined,
  })
  if (access === undefined) throw new CliError('unexpected', 'there is no way to Sistema TS')
  const encipher = encipherer(() => material.certificates, clock)
  const { basic, pinCode, session } = material
  const running = opening.move()
  return {
    ...{ entry, gateway, material, recorded, tools: access.tools, homeOf: organizationHome },
    secrets: [pinCode, ...(basic === undefined ? [] : [basic.password]), ...(session === undefined ? [] : [session])],
    pinCode: () => encipher(pinCode),
    async postWithBasic({ url, action, body, signal }) {
      if (basic === undefined) throw new CliError('usage', 'sessions are for direct users: sistemaTs has no basic')
      return await client.send({
        ...{ url, method: 'POST', body, signal, idempotent: false },
        headers: {
          'content-type': soap11Type,
          soapaction: soapActionOf(action),
          authorization: basicAuthorization(basic.user, basic.password),
        },
      })
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Files of others, which this community does without, may be missing or broken. */
function onlyOf(config: LoadedConfig, entry: CommunityConfig): LoadedConfig {
  const { workflowStatus: _, ...gateway } = config.federation.gateway
  return { ...config, federation: { ...config.federation, gateway, communities: [entry], consumers: [] } }
}

/** The call that the channel gets, as if our gateway had been asked by whom the options name, about somebody. */
export function tsCall(
  { gateway }: Pick<TsEndpoint, 'gateway'>,
  subjectId: PatientId,
  { timeoutMs, patientId }: { readonly timeoutMs: number; readonly patientId?: PatientId | undefined },
): AuthorizedCall {
  const { organization, application, home } = gateway
  const subject = formatCx(subjectId)
  const until = Date.now() + timeoutMs
  const viewer = { role: 'AAS', purposeOfUse: 'TREATMENT', subject }
  return {
    correlationId: correlationId(randomUUID()),
    signal: AbortSignal.timeout(timeoutMs),
    deadline: until,
    peer: { subject: 'crocevia ts', fingerprint: '' },
    assertion: {
      ...{ id: `_${randomUUID()}`, issuer: organization.code, community: homeCommunityId(home), validUntil: until },
      ...{ ...viewer, subjectId, signer: '', organization: organization.code, application },
      ...(patientId === undefined ? {} : { patientId }),
      // Nobody's assertion stands behind this: whoever runs the command has the gateway's own keys.
      evidence: { kind: 'saml', digest: '' },
    },
    permit: { partition: 'crocevia ts', viewer },
  }
}
