import { GatewayError } from '../../core/errors.ts'
import type { ResponseStatus } from './names.ts'

/**
 * The status of a response by its last word: some peers spell PartialSuccess with OASIS's prefix, or leave any prefix out.
 * Throws `community-misbehaved` for any other.
 */
export function responseStatusOf(told: string | undefined): ResponseStatus {
  switch (told?.trim().split(':').at(-1)) {
    case 'Success':
      return 'success'
    case 'PartialSuccess':
      return 'partial-success'
    case 'Failure':
      return 'failure'
    default:
      throw new GatewayError('community-misbehaved', 'The community answered without a status that ebRS knows')
  }
}
