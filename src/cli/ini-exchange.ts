import type { Explanation } from '../../contracts/explanations/explanation.ts'
import { explanationOf } from '../../contracts/explanations/explanation-of.ts'
import type { Issue } from '../core/errors.ts'
import { readFault } from '../wire/ebrim/fault.ts'
import { readRegistryErrors } from '../wire/ebrim/registry-error.ts'
import { MtomError } from '../wire/mtom/mtom-error.ts'
import { plainValue, readAssertion } from '../wire/saml/assertion-read.ts'
import { iniAttributes } from '../wire/saml/ini.ts'
import { openEnvelope11 } from '../wire/soap11.ts'
import { NONE, type Node, readTree, XmlError, type XmlTree } from '../wire/xml.ts'
import type { Exit } from './exit.ts'
import { maskedHeaders, maskedMessage, rootOf } from './masking.ts'
import type { Recorded, RecordedAnswer } from './recording.ts'

/** What somebody claims of themselves in the assertion of a message; what is not claimed is absent. */
export interface Claimed {
  readonly organization?: string
  readonly organizationName?: string
  readonly role?: string
  readonly purpose?: string
  readonly action?: string
  readonly subject?: string
  readonly patient?: string
  readonly transfer?: string
}

/** A code as it was answered, and what is known of it. */
export type Code = Issue & {
  readonly explanation?: Pick<Explanation, 'meaning' | 'whose' | 'next' | 'retry' | 'source'>
}

/** One message and its answer, as they are told of. */
export interface ToldExchange {
  readonly url: string
  readonly action?: string
  readonly messageId?: string
  /** Absent where no assertion went along. */
  readonly claims?: Claimed
  /** HTTP status; absent when nothing came. */
  readonly http?: number
  /** What the answer says of itself; `unreachable` when there is none, or it is no message. */
  readonly status: Extract<Exit, 'success' | 'partial-success' | 'failure' | 'refused' | 'unreachable'>
  readonly codes: readonly Code[]
  readonly ms: number
  /** Masked; only where they are asked for. */
  readonly request?: { readonly headers: Recorded['headers']; readonly body: string }
  readonly answer?: { readonly headers: Recorded['headers']; readonly body: string; readonly bytes: number }
}

/** Tells of an exchange by what went over the wire, and by nothing else. */
export function toldExchange(recorded: Recorded, { show }: { readonly show: boolean }): ToldExchange {
  const { url, headers, request, answer, durationMs } = recorded
  const read = answer === undefined ? unread : readingOf(answer)
  return {
    url,
    ...calledBy(recorded),
    ...(answer === undefined ? {} : { http: answer.status }),
    ...read,
    ms: Math.round(durationMs),
    ...(show ? { request: { headers: maskedHeaders(headers), body: maskedMessage(request, typeOf(headers)) } } : {}),
    ...(show && answer !== undefined ? { answer: shownAnswer(answer) } : {}),
  }
}

function shownAnswer({ headers, body, size }: RecordedAnswer) {
  return { headers: maskedHeaders(headers), body: maskedMessage(body, typeOf(headers)), bytes: size }
}

function typeOf(headers: Recorded['headers']): string {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
}

/** By the message itself, or where it has no addressing by the header of SOAP 1.1. */
function calledBy({ headers, request }: Recorded): Pick<ToldExchange, 'action' | 'messageId' | 'claims'> {
  const tree = treeOf(request, headers)
  if (tree === undefined) return {}
  const { messageId, ...told } = openEnvelope11(tree)
  const action = told.action ?? headers.soapaction?.replaceAll('"', '')
  const claims = claimsIn(tree)
  return {
    ...(action === undefined ? {} : { action }),
    ...(messageId === undefined ? {} : { messageId }),
    ...(claims === undefined ? {} : { claims }),
  }
}

function claimsIn(tree: XmlTree): Claimed | undefined {
  const assertion = tree.local(tree.root) === 'Envelope' ? assertionIn(tree) : NONE
  const read = assertion === NONE ? 'none' : readAssertion(tree, assertion)
  if (typeof read === 'string') return undefined
  const said: [keyof Claimed, string | undefined][] = (
    [
      ['organization', iniAttributes.organizationId],
      ['organizationName', iniAttributes.organization],
      ['role', iniAttributes.role],
      ['purpose', iniAttributes.purposeOfUse],
      ['action', iniAttributes.actionId],
      ['subject', iniAttributes.subjectId],
      ['patient', iniAttributes.resourceId],
      ['transfer', iniAttributes.indexTransferId],
    ] as const
  ).map(([name, attribute]) => {
    const [value] = read.attributes.get(attribute) ?? []
    return [name, value === undefined ? undefined : plainValue(tree, value)]
  })
  return Object.fromEntries(said.filter(([, value]) => value !== undefined))
}

function assertionIn(tree: XmlTree): Node {
  const header = named(tree, tree.root, 'Header')
  const security = header === NONE ? NONE : named(tree, header, 'Security')
  return security === NONE ? NONE : named(tree, security, 'Assertion')
}

const unread = { status: 'unreachable', codes: [] } as const

/** The body decides, by local names, and not the status of HTTP around it (ini.md §6.2 no. 1). */
function readingOf({ body, headers }: RecordedAnswer): Pick<ToldExchange, 'status' | 'codes'> {
  const tree = treeOf(body, headers)
  const message = tree === undefined ? NONE : openEnvelope11(tree).body
  if (tree === undefined || message === NONE) return unread
  if (tree.local(message) === 'Fault') {
    const { code, subcode, reason, detail } = readFault(tree, message)
    const told = { code: detail.errorCode ?? subcode ?? code, text: detail.description ?? reason }
    return { status: 'refused', codes: [explained({ severity: 'error', ...told })] }
  }
  // Documents come behind a response of the registry's form.
  const inner = named(tree, message, 'RegistryResponse')
  const response = inner === NONE ? message : inner
  const status = statusOf(tree, response)
  const lists = tree.children(response).filter((node) => tree.local(node) === 'RegistryErrorList')
  const issues = [...lists.flatMap((list) => readRegistryErrors(tree, list)), ...errorIn(tree, response, status)]
  return { status, codes: issues.map(explained) }
}

const statuses: Readonly<Record<string, ToldExchange['status']>> = {
  Success: 'success',
  PartialSuccess: 'partial-success',
  Failure: 'failure',
}

function statusOf(tree: XmlTree, response: Node): ToldExchange['status'] {
  const element = named(tree, response, 'Status')
  const text = tree.attribute(response, 'status') ?? (element === NONE ? '' : tree.text(element))
  return statuses[text.trim().split(':').at(-1) ?? ''] ?? 'unreachable'
}

/** Of the consent and notification services, which always have the element (ini.md §1.6 no. 6). */
function errorIn(tree: XmlTree, response: Node, status: ToldExchange['status']): readonly Issue[] {
  const error = named(tree, response, 'Error')
  const [code = '', text = ''] =
    error === NONE ? [] : ['errorCode', 'codeContext'].map((name) => tree.attribute(error, name)?.trim())
  if (code === '' && text === '') return []
  return [{ severity: status === 'success' ? 'warning' : 'error', code, text }]
}

function explained(issue: Issue): Code {
  const found = explanationOf(issue.code, issue.text)
  if (found === undefined) return issue
  const { meaning, whose, next, retry, source } = found
  return { ...issue, explanation: { meaning, whose, next, retry, source } }
}

function named(tree: XmlTree, parent: Node, local: string): Node {
  return tree.children(parent).find((node) => tree.local(node) === local) ?? NONE
}

function treeOf(body: Buffer, headers: Recorded['headers']): XmlTree | undefined {
  const type = typeOf(headers)
  try {
    const message = /^\s*multipart\/related\b/i.test(type) ? rootOf(type, body) : body
    return message === undefined ? undefined : readTree(message)
  } catch (error) {
    if (error instanceof XmlError || error instanceof MtomError) return undefined
    throw error
  }
}
