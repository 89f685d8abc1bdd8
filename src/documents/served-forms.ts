import { DocumentError, type DocumentReason } from './document-error.ts'
import type { DocumentForms, DocumentSource } from './forms.ts'
import { contentSecurityPolicy } from './page.ts'

/** A derived form with what a front must say of it. */
export interface ServedForm {
  readonly mediaType: string
  readonly bytes: Uint8Array
  /** Of a page that needs more than the strictest policy there is. */
  readonly contentSecurityPolicy?: string
}

/**
 * The derived forms as fronts hand them out; that one cannot be made is a value. Rejects with the signal's reason. The
 * media type of a `body` is its author's word.
 */
export function servedForms(forms: DocumentForms) {
  return async (
    form: 'cda' | 'readable' | 'body',
    document: DocumentSource,
    signal: AbortSignal,
  ): Promise<ServedForm | 'none' | { readonly refused: DocumentReason }> => {
    try {
      return await served(forms, form, document, signal)
    } catch (error) {
      if (error instanceof DocumentError) return { refused: error.reason }
      throw error
    }
  }
}

async function served(
  forms: DocumentForms,
  form: 'cda' | 'readable' | 'body',
  document: DocumentSource,
  signal: AbortSignal,
): Promise<ServedForm | 'none'> {
  switch (form) {
    case 'cda': {
      const made = await forms.make('cda', document, signal)
      return made === 'none' ? made : { mediaType: 'application/xml', bytes: made.bytes }
    }
    case 'readable': {
      const made = await forms.make('readable', document, signal)
      const mediaType = 'text/html; charset=utf-8'
      return made === 'none' ? made : { mediaType, bytes: made.html, contentSecurityPolicy }
    }
    case 'body':
      return await forms.make('body', document, signal)
  }
}
