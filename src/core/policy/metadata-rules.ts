import type { Issue } from '../errors.ts'
import type { SubmitChange, UpdateChange } from '../model/change.ts'
import type { Association, DocumentEntry, Folder, SubmissionSet } from '../model/metadata.ts'
import { type Message, messageOf, type Predicate } from './metadata-predicates.ts'

interface RuleAbout<Kind extends string, T> {
  /** Names this rule and no other, in kebab-case. */
  readonly name: string
  /** As it is told: the national code where a source gives one. Several rules may share one. */
  readonly code: string
  /** As it is told; `{id}` stands for the object's id. */
  readonly text: string
  readonly severity: Issue['severity']
  /** Where the rule comes from. */
  readonly source: string
  readonly appliesTo: Kind
  /** Whether an object breaks the rule. */
  readonly fails: Predicate<T>
}

export type EntryRule = RuleAbout<'entry', DocumentEntry>
export type SubmissionSetRule = RuleAbout<'submission-set', SubmissionSet>
export type FolderRule = RuleAbout<'folder', Folder>
export type AssociationRule = RuleAbout<'association', Association>
export type SubmissionRule = RuleAbout<'submission', Message>

/** What must be true of pushed metadata, as data: which objects it is about, when one breaks it, and what is told then. */
export type MetadataRule = EntryRule | SubmissionSetRule | FolderRule | AssociationRule | SubmissionRule

export interface MetadataContext {
  /** Codes, and names of rules, whose errors are told as warnings. */
  readonly lenient: ReadonlySet<string>
}

/** More than anybody reads; of a message with more faults the errors are told first. */
const mostIssues = 200

/**
 * Everything that is wrong with what was pushed, by the rules given: errors first, each in the order of the rules, with
 * the id of the object as its sender spelt it for `location`; at most 200. The change may be accepted when no error is
 * among them. Issues quote no value but that id.
 */
export function checkMetadata(
  change: SubmitChange | UpdateChange,
  rules: readonly MetadataRule[],
  { lenient }: MetadataContext,
): readonly Issue[] {
  const message = messageOf(change.submission)
  const errors: Issue[] = []
  const warnings: Issue[] = []
  for (const rule of rules) {
    const { name, code } = rule
    const severity = lenient.has(code) || lenient.has(name) ? 'warning' : rule.severity
    const issues = severity === 'error' ? errors : warnings
    for (const id of offenders(rule, message)) {
      if (issues.length >= mostIssues) break
      issues.push({ severity, code, text: rule.text.replaceAll('{id}', () => id), location: id })
    }
  }
  return [...errors, ...warnings].slice(0, mostIssues)
}

/** The ids of the objects that break a rule. A submission goes by the id of its submission set. */
function offenders(rule: MetadataRule, message: Message): string[] {
  const { submissionSet, entries, folders, associations } = message.submission
  switch (rule.appliesTo) {
    case 'entry':
      return idsOf(entries, rule.fails, message)
    case 'submission-set':
      return idsOf([submissionSet], rule.fails, message)
    case 'folder':
      return idsOf(folders, rule.fails, message)
    case 'association':
      return idsOf(associations, rule.fails, message)
    case 'submission':
      return rule.fails(message, message) ? [submissionSet.entryUuid] : []
  }
}

function idsOf<T extends { readonly entryUuid: string }>(
  objects: readonly T[],
  fails: Predicate<T>,
  message: Message,
): string[] {
  return objects.filter((object) => fails(object, message)).map(({ entryUuid }) => entryUuid)
}
