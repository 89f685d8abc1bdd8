import { confidentialityScheme } from '../../../contracts/affinity-domain/confidentiality-codes.ts'
import { contentTypeScheme } from '../../../contracts/affinity-domain/content-types.ts'
import { classScheme } from '../../../contracts/affinity-domain/document-classes.ts'
import { loinc } from '../../../contracts/affinity-domain/document-types.ts'
import { eventScheme } from '../../../contracts/affinity-domain/event-codes.ts'
import { formatScheme } from '../../../contracts/affinity-domain/format-codes.ts'
import { facilityTypeScheme, practiceSettingScheme } from '../../../contracts/affinity-domain/settings.ts'
import type { CodeQuery } from '../../core/model/code.ts'
import type { DocumentFilter, StoredQuery } from '../../core/model/stored-query.ts'

const schemes: Readonly<Record<string, string>> = {
  classCodes: classScheme,
  typeCodes: loinc,
  practiceSettingCodes: practiceSettingScheme,
  healthcareFacilityTypeCodes: facilityTypeScheme,
  formatCodes: formatScheme,
  eventCodes: eventScheme,
  confidentialityCodes: confidentialityScheme,
  contentTypeCodes: contentTypeScheme,
}

type Codes = readonly CodeQuery[] | readonly (readonly CodeQuery[])[]

/**
 * The query with the affinity domain's scheme for every code that came without one, as INI sends some (`P99`, ini.md
 * §1.5): such codes are understood, and told on as the standard spells them.
 */
export function withCodingSchemes<Q extends StoredQuery>(query: Q): Q {
  const named = completed(query)
  return 'filter' in named ? { ...named, filter: completed(named.filter as DocumentFilter) } : named
}

function completed<T extends object>(filters: T): T {
  const missing = Object.entries(filters).filter(([name]) => schemes[name] !== undefined)
  if (missing.length === 0) return filters
  return {
    ...filters,
    ...Object.fromEntries(missing.map(([name, codes]) => [name, schemed(codes as Codes, schemes[name] ?? '')])),
  }
}

function schemed(codes: Codes, scheme: string): Codes {
  return codes.map((one) => ('code' in one ? { scheme, ...one } : one.map((code) => ({ scheme, ...code })))) as Codes
}
