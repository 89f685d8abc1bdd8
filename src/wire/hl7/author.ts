import type { DocumentEntry } from '../../core/model/metadata.ts'
import { parseCx } from './cx.ts'

/**
 * Whether a person, spelt as a CX, is an author of the document, whose authors are XCN: same identifier under the same
 * authority (ini.md §3.1 author slots).
 */
export function isAuthor(entry: DocumentEntry, subject: string): boolean {
  const id = parseCx(subject)
  if (id === undefined) return false
  return entry.authors.some(({ persons }) =>
    persons.some((person) => {
      const parts = person.split('^')
      return parts[0] === id.value && parts[8]?.split('&')[1] === id.authority
    }),
  )
}
