import { GatewayError } from '../../core/errors.ts'
import type { HeldDocument } from '../../core/ports.ts'

/** Forms of a document that are made of it; the document itself is `original`. */
export type DerivedForm = 'cda' | 'readable' | 'body'

/** A derived form, to be handed out. */
export interface MadeForm {
  readonly mediaType: string
  readonly bytes: Uint8Array
  /** Of a page that needs more than the strictest policy there is. */
  readonly contentSecurityPolicy?: string
}

/** Why a document has no such form: `none` when it is of a kind that has none, else why it cannot be made. */
export type FormRefusal =
  | 'none'
  | 'too-large'
  | 'inflates-too-much'
  | 'too-complex'
  | 'too-slow'
  | 'busy'
  | 'reader-failed'
  | 'encrypted'
  | 'damaged'
  | 'encoding-unsupported'
  | 'ambiguous'
  | 'xml-refused'
  | 'body-malformed'
  | 'body-elsewhere'

/** Makes a form of a document, which stays as it is. Rejects with the signal's reason. */
export type MakeForm = (
  form: DerivedForm,
  document: Pick<HeldDocument, 'size' | 'read'>,
  signal: AbortSignal,
) => Promise<MadeForm | 'none' | { readonly refused: Exclude<FormRefusal, 'none'> }>

/** A form that is not given; the original can be had. How it is told stands in `problem.ts`. */
export function formRefused(reason: FormRefusal, cause?: unknown): GatewayError {
  const code = reason === 'busy' ? 'overloaded' : reason === 'reader-failed' ? 'internal' : 'query-unsupported'
  return new GatewayError(code, 'The document cannot be given in this form; the original can be had', {
    details: { kind: 'form', reason },
    ...(cause === undefined ? {} : { cause }),
  })
}
