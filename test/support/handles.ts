import { randomBytes } from 'node:crypto'
import type { Assertion } from '../../src/core/model/call.ts'
import type { DocumentReference } from '../../src/core/model/retrieval.ts'
import { sealedHandles } from '../../src/http/api/document-handles.ts'
import { assertion } from './builders.ts'

const key = randomBytes(32)
const clock = { now: () => Date.now() }

/** Handles as a gateway makes them, under a key of this process. */
export const handles = sealedHandles({ key, lifetimeMs: 900_000, clock })

/** Makes handles whose time is over. */
export const expired = sealedHandles({ key, lifetimeMs: -1, clock })

/** The handle of a document for the clinician of the builders, unless another viewer is named. */
export function handleOf(reference: DocumentReference, viewer: Partial<Assertion> = {}): string {
  return handles.seal(reference, assertion(viewer))
}
