import { readFileSync } from 'node:fs'
import type { Submission } from '../core/model/change.ts'
import type { DocumentEntry } from '../core/model/metadata.ts'
import { nationalPaths } from '../national.ts'
import { actions } from '../wire/actions.ts'
import { asNewVersion } from '../wire/ebrim/new-version.ts'
import { encodeRemoveObjects, encodeSubmitObjects } from '../wire/ebrim/submit-objects.ts'
import { formatCx } from '../wire/hl7/cx.ts'
import { commandOf, needed, verbOf } from './arguments.ts'
import { type Caller, type Claims, callerOf, callerOptions, voiceOptions } from './caller.ts'
import { CliError } from './exit.ts'
import { metadataOf, referencesTo } from './look-up.ts'
import { authorOf, classCodeOf, confidentialityOf, eventOf, newDocument, typeCodeOf } from './new-document.ts'
import { identityOf, partyOf } from './parties.ts'
import { type Step, shown } from './step.ts'
import { type Purpose, submissionOf, withMetadata } from './submission.ts'
import { changeAnswer } from './told.ts'

const options = {
  ...callerOptions,
  ...voiceOptions,
  type: { type: 'string' },
  'unique-id': { type: 'string', multiple: true, default: [] as string[] },
  'entry-uuid': { type: 'string', multiple: true, default: [] as string[] },
  target: { type: 'string' },
  repository: { type: 'string' },
  title: { type: 'string' },
  event: { type: 'string', multiple: true, default: [] as string[] },
  confidentiality: { type: 'string' },
  nre: { type: 'string' },
  version: { type: 'string' },
  'old-way': { type: 'boolean', default: false },
  metadata: { type: 'string' },
} as const

type Values = ReturnType<typeof parsed>['values']

const parsed = (args: readonly string[]) => commandOf(args, options)
const verbs = ['create', 'replace', 'update', 'remove'] as const

/** `push`: changes the index of a gateway as INI does, on the word of a region (ini.md §7.1). Throws CliError. */
export async function push(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsed(args)
  const verb = verbOf('push', positionals, verbs)
  await using caller = callerOf(values, '050')
  const steps = await doing[verb](caller, values)
  return await shown(steps, values)
}

const doing: Readonly<Record<(typeof verbs)[number], (caller: Caller, values: Values) => Promise<readonly Step[]>>> = {
  create: (caller, values) => submitted(caller, values, { kind: 'create' }),
  async replace(caller, values) {
    const target = needed('target', values.target)
    if (target.startsWith('urn:uuid:')) return await submitted(caller, values, { kind: 'replace', target })
    // Of several versions only the current one can be replaced, and references alone do not tell which it is.
    const { step, entry } = await metadataOf(caller, target)
    if (entry === undefined) return [unfound(step)]
    return [step, ...(await submitted(caller, values, { kind: 'replace', target: entry.entryUuid }))]
  },
  async update(caller, values) {
    const uniqueId = needed('unique-id', values['unique-id'][0])
    const { step, entry } = await metadataOf(caller, uniqueId)
    return entry === undefined ? [unfound(step)] : [step, await updated(caller, values, entry)]
  },
  async remove(caller, values) {
    const ids = values['entry-uuid']
    const names = values['unique-id']
    if (ids.length + names.length === 0) throw new CliError('usage', '--unique-id or --entry-uuid is needed')
    if (names.length === 0) return [await removed(caller, values, ids)]
    const { step, found } = await referencesTo(caller, names)
    const references = (found?.references ?? []).map(({ id }) => id)
    return references.length === 0 ? [unfound(step)] : [step, await removed(caller, values, [...ids, ...references])]
  },
}

async function submitted(caller: Caller, values: Values, purpose: Purpose): Promise<readonly Step[]> {
  const { patient, subject, voice } = caller
  const claims = claimsOf(values, purpose.kind === 'create' ? ['TREATMENT', 'CREATE'] : (['UPDATE', 'UPDATE'] as const))
  const { home } = identityOf(partyOf(voice.organization), values.identities)
  const wishes = {
    patient,
    home,
    author: subject,
    role: claims.role,
    organization: voice.organization,
    now: Date.now(),
  }
  const [uniqueId] = values['unique-id']
  const entry = newDocument({
    ...wishes,
    type: values.type ?? '11502-2',
    events: values.event,
    confidentiality: values.confidentiality ?? 'N',
    ...(uniqueId === undefined ? {} : { uniqueId }),
    ...(values.repository === undefined ? {} : { repository: values.repository }),
    ...(values.title === undefined ? {} : { title: values.title }),
    ...(values.nre === undefined ? {} : { nre: values.nre }),
  })
  const submission = completed(submissionOf(entry, { ...wishes, purpose, author: authorOf(wishes) }), values)
  const target = purpose.kind === 'replace' ? { replaces: purpose.target } : {}
  const what = `${purpose.kind} (ITI-42)`
  const path = nationalPaths.registry
  const message = { what, path, action: actions.registerDocumentSet, claims, body: spelt(submission) }
  return [await sent(caller, message, { ...factsOf(submission), ...target })]
}

/** A new version of what was found, with what is wished for in its place. */
async function updated(caller: Caller, values: Values, former: DocumentEntry): Promise<Step> {
  const { voice, subject } = caller
  const entry = changed(former, values)
  const altersHiding = policiesOf(former).join() !== policiesOf(entry).join()
  const claims = claimsOf(values, [altersHiding ? 'ACCESS UPDATE' : 'UPDATE', 'UPDATE'])
  const version = values.version ?? former.version ?? '1'
  const wishes = {
    ...{ home: identityOf(partyOf(voice.organization), values.identities).home, now: Date.now() },
    author: authorOf({ author: subject, role: claims.role, organization: voice.organization }),
  }
  const oldWay = values['old-way']
  const purpose: Purpose = oldWay ? { kind: 'replace-itself' } : { kind: 'update', version }
  const logicalId = former.logicalId ?? former.entryUuid
  const drafted = asNewVersion({ ...entry, logicalId, version }, oldWay ? former.entryUuid : 'Document1')
  const submission = completed(submissionOf(drafted, { ...wishes, purpose }), values)
  const message = oldWay
    ? { what: 'update (ITI-42, replacing itself)', path: nationalPaths.registry, action: actions.registerDocumentSet }
    : { what: 'update (ITI-57)', path: nationalPaths.update, action: actions.updateDocumentSet }
  const facts = { ...factsOf(submission), 'logical id': logicalId, 'made from': `version ${version}` }
  return await sent(caller, { ...message, claims, body: spelt(submission) }, facts)
}

async function removed(caller: Caller, values: Values, ids: readonly string[]): Promise<Step> {
  const claims = claimsOf(values, ['UPDATE', 'DELETE'])
  const body = encodeRemoveObjects(ids)
  const message = {
    what: 'remove (ITI-62)',
    path: nationalPaths.remove,
    action: actions.deleteDocumentSet,
    claims,
    body,
  }
  return await sent(caller, message, { entryUUID: ids })
}

async function sent(
  caller: Caller,
  { what, ...saying }: Parameters<Caller['say']>[0] & { readonly what: string },
  facts: Step['sent'],
): Promise<Step> {
  const exchange = await caller.say(saying)
  return { what, exchange, sent: facts, told: changeAnswer(exchange) }
}

/** The usual claims of a change (ini.md §2.4), unless others are wished for. */
function claimsOf({ role, purpose, action }: Values, [usual, act]: readonly [string, string]): Claims {
  return { role: role ?? 'AAS', purpose: purpose ?? usual, action: action ?? act }
}

/** Access policies: a document has one at most, and a later one takes its place (ini.md §4.5). */
const policies: ReadonlySet<string> = new Set(['P99', 'P00', 'P97', 'P98'])

function policiesOf({ eventCodes }: DocumentEntry): readonly string[] {
  return eventCodes.map(({ code }) => code).filter((code) => policies.has(code))
}

/** The entry with what is wished for in its place; events are added, an access policy takes that of the former. */
export function changed(
  entry: DocumentEntry,
  values: Pick<Values, 'title' | 'event' | 'confidentiality' | 'type' | 'repository'>,
): DocumentEntry {
  const { title, event, confidentiality, type, repository } = values
  const brings = event.some((code) => policies.has(code))
  const kept = entry.eventCodes.filter(({ code }) => !event.includes(code) && !(brings && policies.has(code)))
  return {
    ...entry,
    eventCodes: [...kept, ...event.map(eventOf)],
    ...(title === undefined ? {} : { title: [{ value: title }] }),
    ...(confidentiality === undefined ? {} : { confidentialityCodes: [confidentialityOf(confidentiality)] }),
    ...(type === undefined ? {} : { typeCode: typeCodeOf(type), classCode: classCodeOf(type) }),
    ...(repository === undefined ? {} : { repositoryUniqueId: repository }),
  }
}

/** The submission with what a file says in its place, where one is named. Throws CliError. */
export function completed(submission: Submission, { metadata }: Partial<Pick<Values, 'metadata'>>): Submission {
  return metadata === undefined ? submission : withMetadata(submission, fileOf(metadata))
}

function fileOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new CliError('usage', `--metadata: ${path} cannot be read: ${error instanceof Error ? error.message : ''}`)
  }
}

/** What a file says may have another shape than the core's words do. */
function spelt(submission: Submission): string {
  try {
    return encodeSubmitObjects(submission)
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error
    throw new CliError('usage', `the metadata cannot be written as XML: ${error.message}`)
  }
}

function factsOf({ submissionSet, entries }: Submission): Step['sent'] {
  return {
    document: entries.map(({ uniqueId }) => uniqueId),
    repository: [...new Set(entries.map(({ repositoryUniqueId = '' }) => repositoryUniqueId))],
    type: [...new Set(entries.map(({ typeCode }) => `${typeCode?.code ?? ''} ${typeCode?.display ?? ''}`.trim()))],
    events: entries.flatMap(({ eventCodes }) => eventCodes.map(({ code }) => code)),
    patient: formatCx(submissionSet.patientId),
    submission: submissionSet.uniqueId,
  }
}

/** What was looked for is not there, or not for those who ask; that ends the command. */
function unfound(step: Step): Step {
  if (step.told.status !== 'success') return step
  const text = 'No such document is told of this patient; obscured ones are told to their author alone (--subject)'
  return { ...step, told: { status: 'failure', issues: [{ severity: 'error', code: 'not found', text }] } }
}
