import type { Author } from '../../src/core/model/metadata.ts'
import {
  either,
  matches,
  not,
  oneOf,
  type Predicate,
  type Reading,
  some,
} from '../../src/core/policy/metadata-predicates.ts'
import type { EntryRule, SubmissionSetRule } from '../../src/core/policy/metadata-rules.ts'
import { roles } from './callers.ts'
import { error, warning } from './rule-codes.ts'

interface Authored {
  readonly authors: readonly Author[]
}
const persons: Reading<Authored, string> = ({ authors }) => authors.flatMap((author) => author.persons)
const institutions: Reading<Authored, string> = ({ authors }) => authors.flatMap((author) => author.institutions)
const authorRoles: Reading<Authored, string> = ({ authors }) => authors.flatMap((author) => author.roles)

const person = matches(/^[^^&]+(?:\^[^^]*){7}\^[^^&]*&[0-9.]+&ISO(?:\^.*)?$/)
// What the national gateway makes of a VAT number.
const personByConstant = matches(/^[^^&]+\^{8}&[0-9.]+%ISO$/)
const institution = matches(/^[^^]*\^{5}&[0-9.]+&ISO\^{4}[^^&]+$/)
const institutionWithLeadingOid = matches(/^[^^]*\^{5}[0-9.]+&ISO\^{4}[^^&]+$/)

type AuthorRule = Omit<EntryRule, 'appliesTo' | 'fails'> & { readonly fails: Predicate<Authored> }

/** Rules about the authors of the objects called so, their names beginning with `name`. */
function authorRules(object: string, name: string): readonly AuthorRule[] {
  return [
    {
      ...error,
      name: `${name}author-person`,
      text: `Wrong value of ${object}.author.authorPerson ({id})`,
      source: 'ini.md §3.1 (XCN)',
      fails: some(persons, not(either(person, personByConstant))),
    },
    {
      ...warning,
      name: `${name}author-person-form`,
      text: `Odd form of ${object}.author.authorPerson ({id})`,
      source: 'ini.md §3.1 (%ISO in the national gateway)',
      fails: some(persons, personByConstant),
    },
    {
      ...error,
      name: `${name}author-institution`,
      text: `Wrong value of ${object}.author.authorInstitution ({id})`,
      source: 'ini.md §2.3, §3.1 (XON)',
      fails: some(institutions, not(either(institution, institutionWithLeadingOid))),
    },
    {
      ...warning,
      name: `${name}author-institution-form`,
      text: `Odd form of ${object}.author.authorInstitution ({id})`,
      source: 'WX:samples/query_res.xml (the OID leads XON.6)',
      fails: some(institutions, institutionWithLeadingOid),
    },
    {
      ...warning,
      name: `${name}author-role`,
      text: `Unknown value of ${object}.author.authorRole ({id})`,
      source: 'ini.md §3.1, §4.6',
      fails: some(authorRoles, not(oneOf(Object.keys(roles)))),
    },
  ]
}

export const entryAuthorRules: readonly EntryRule[] = authorRules('DocumentEntry', '').map((rule) => ({
  ...rule,
  appliesTo: 'entry',
}))

export const submissionSetAuthorRules: readonly SubmissionSetRule[] = authorRules('SubmissionSet', 'submission-').map(
  (rule) => ({ ...rule, appliesTo: 'submission-set' }),
)
