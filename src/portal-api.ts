import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError, type LoadedConfig } from './config/load.ts'
import type { QueryGateway } from './core/federation/query.ts'
import type { Clock, Community } from './core/ports.ts'
import { type DocumentHandles, handleKeyBytes, sealedHandles } from './http/api/document-handles.ts'
import type { ApiParts, ApiRoute } from './http/api/endpoint.ts'
import { federatedQueryRoute } from './http/api/federated-queries.ts'
import { rateLimit } from './http/api/rate-limit.ts'
import { type ReferenceParts, referenceApp } from './http/api/reference.ts'
import { readJsonObject } from './trust/jwt/strict-json.ts'

export interface PortalParts {
  readonly index: QueryGateway
  readonly communities: readonly Community[]
  readonly clock: Clock
  readonly ready: ReferenceParts['ready']
}

/** What the configuration makes of the REST face for portals and clinical desktops. */
export interface PortalApi {
  readonly routes: readonly ApiRoute[]
  readonly handles: DocumentHandles
  /** Seals handles, and makes the ids of the FHIR face. */
  readonly key: Uint8Array
  /** What its routes share beyond what every REST exchange does. */
  readonly bounds: Pick<ApiParts, 'rate' | 'origins'>
  readonly reference: ReturnType<typeof referenceApp>
}

/** Throws ConfigError for a key that is none. */
export function portalApi(config: LoadedConfig, { clock, communities, index, ready }: PortalParts): PortalApi {
  const { handleLifetimeMs, origins, requestsPerMinute } = config.federation.gateway.api
  const key = handleKeyOf(config)
  const handles = sealedHandles({ key, lifetimeMs: handleLifetimeMs, clock })
  const contract = readFileSync(new URL('../contracts/openapi/gateway.json', import.meta.url), 'utf8')
  return {
    routes: [federatedQueryRoute({ gateway: index, handles, communities, clock, readObject: readJsonObject })],
    ...{ handles, key },
    bounds: { rate: rateLimit(requestsPerMinute, clock), origins },
    reference: referenceApp({ contract, origins, ready }),
  }
}

function handleKeyOf({ bytes, federation }: LoadedConfig): Uint8Array {
  const { handleKey } = federation.gateway.api
  if (handleKey === undefined) return randomBytes(handleKeyBytes)
  const key = bytes(handleKey)
  if (key.length === handleKeyBytes) return key
  throw new ConfigError([{ path: 'gateway.api.handleKey', message: `must be a file of ${handleKeyBytes} bytes` }])
}
