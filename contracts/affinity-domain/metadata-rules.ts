import type { MetadataRule } from '../../src/core/policy/metadata-rules.ts'
import { entryAuthorRules, submissionSetAuthorRules } from './metadata-authors.ts'
import { entryCodeRules, submissionSetCodeRules } from './metadata-codes.ts'
import { identifierRules } from './metadata-identifiers.ts'
import { entryValueRules, submissionSetValueRules } from './metadata-values.ts'
import { type RuleCodes, ruleCodes } from './rule-codes.ts'

/**
 * The rules of the Italian affinity domain for metadata that are pushed (ini.md §3, §4, §6.1), but for those that ask
 * what is registered already (R220, R221, R224). What the sources tell of others' habits is a warning.
 */
export function metadataRules(codes: RuleCodes = ruleCodes): readonly MetadataRule[] {
  return [
    ...identifierRules,
    ...entryCodeRules(codes),
    ...entryValueRules(codes),
    ...entryAuthorRules,
    ...submissionSetCodeRules(codes),
    ...submissionSetValueRules,
    ...submissionSetAuthorRules,
  ]
}
