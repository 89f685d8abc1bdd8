import { NONE, type Node, type XmlTree } from '../xml.ts'
import { element } from './ask.ts'
import { type Ciphertext, childNamed, encodeFields, type Field, type Filled, membersOf, readTold } from './fields.ts'
import type { Operation, OperationNames } from './operation.ts'
import { misread, severityOf, type TsError } from './outcome.ts'

// The service that hands out ID-SESSIONE, the second factor of direct users (sistema-ts.md A.6).

const namespace = 'http://authservice.xsd.wsdl.auth.a2f.sts.sanita.finanze.it'
const types = 'http://datatype.xsd.wsdl.auth.a2f.sts.sanita.finanze.it'
const service = 'http://wsdl.auth.a2f.sts.sanita.finanze.it'

const optional = (most: number, least = 0) => ({ holds: 'text', optional: true, least, most }) as const satisfies Field
const token = { holds: 'text', least: 36, most: 36 } as const satisfies Field

const owner = { cfUtente: optional(16) } as const
const place = {
  codRegione: optional(3),
  codAslAo: optional(3),
  codSsa: optional(6),
  codiceStruttura: optional(10),
} as const
const scope = { contesto: optional(30, 1), applicazione: optional(30) } as const

/** What every request of the service says of its user. */
export interface SecondFactorUser {
  readonly userId?: string
  /** `P` a pincode, `I` the identifier of a sender of expenses; the value enciphered. */
  readonly identificativo?: { readonly tipo: 'P' | 'I'; readonly valore: Ciphertext }
}

/** How the service answered; `0` and `1` are all there is. */
export interface SecondFactorAnswer {
  readonly accepted: boolean
  readonly errors: readonly TsError[]
  /** Whether an error speaks of our credentials: then asking again may lock the account. */
  readonly credentialsRefused: boolean
  readonly communications: ReadonlyMap<string, string>
}

/** A session that was asked for. */
export interface CreatedSession extends SecondFactorAnswer {
  /** Only a test environment tells it; in production it goes to the user's certified mailbox. */
  readonly token?: string
}

/** What the service knows of a session. */
export interface CheckedSession extends SecondFactorAnswer {
  readonly session?: { readonly valid: boolean; readonly from: number; readonly until: number }
}

/** Asks for a session: only the one that was not used yet is replaced. */
export const createSession = secondFactor(
  names('create', 'CreateAuthReq', 'CreateAuthRes'),
  { ...owner, ...place, ...scope },
  (tree, body): CreatedSession => {
    const answer = readAnswer(tree, body)
    const told = answer.communications.get('token')
    return { ...answer, ...(told === undefined ? {} : { token: told }) }
  },
)

/** Ends a session. */
export const revokeSession = secondFactor(
  names('revoke', 'RevokeAuthReq', 'RevokeAuthRes'),
  { ...owner, token, ...scope },
  readAnswer,
)

/** Whether a session is good, and from when to when. */
export const checkSession = secondFactor(
  names('checkToken', 'CheckTokenReq', 'CheckTokenRes'),
  { ...owner, token, ...scope },
  (tree, body): CheckedSession => {
    const answer = readAnswer(tree, body)
    const info = childNamed(tree, body, 'infoToken')
    if (info === NONE) return answer
    const told = readTold(tree, info, new Set(['stato', 'dataInizioValidita', 'dataFineValidita'] as const))
    const [from, until] = [Date.parse(told.dataInizioValidita ?? ''), Date.parse(told.dataFineValidita ?? '')]
    if (!Number.isFinite(from) || !Number.isFinite(until) || !/^[01]$/.test(told.stato ?? ''))
      throw misread('infoToken')
    return { ...answer, session: { valid: told.stato === '0', from, until } }
  },
)

function names(name: string, request: string, answer: string): OperationNames {
  return { name, action: `${service}/${name}`, request: [namespace, request], answer }
}

/** The user comes first in every request, then its own fields. */
function secondFactor<T extends Readonly<Record<string, Field>>, Answer>(
  named: OperationNames,
  fields: T,
  decode: (tree: XmlTree, body: Node) => Answer,
): Operation<SecondFactorUser & Filled<T>, Answer> {
  const [own, local] = named.request
  return {
    ...named,
    encode({ userId, identificativo, ...rest }, space = own) {
      const user = encodeFields({ userId: optional(16) }, userId === undefined ? {} : { userId }, 'a')
      const body = encodeFields(fields, rest as unknown as Filled<T>, 'a')
      return `<a:${local} xmlns:a="${space}">${user}${identified(identificativo)}${body}</a:${local}>`
    },
    decode,
  }
}

function identified(identificativo: SecondFactorUser['identificativo']): string {
  if (identificativo === undefined) return ''
  const value = encodeFields(
    { valore: { holds: 'secret', least: 1, most: 256 } },
    { valore: identificativo.valore },
    'd',
  )
  return `<a:identificativo xmlns:d="${types}">${element('d:tipo', identificativo.tipo)}${value}</a:identificativo>`
}

/** Codes that speak of user, password or pincode (manual §5.1). */
const ofCredentials: ReadonlySet<string> = new Set(['301', '302', '304', '306', '600', '601', '602'])

function readAnswer(tree: XmlTree, body: Node): SecondFactorAnswer {
  const { codEsito } = readTold(tree, body, new Set(['codEsito'] as const))
  if (codEsito === undefined || !/^[01]$/.test(codEsito)) throw misread('no-outcome')
  const errors = membersOf(tree, body, 'errori', 'errore').map((node): TsError => {
    const told = readTold(tree, node, new Set(['tipoErrore', 'codEsito', 'descrEsito'] as const))
    const severity = severityOf(told.tipoErrore) ?? 'error'
    return { code: told.codEsito ?? '', text: told.descrEsito ?? '', severity }
  })
  const said = membersOf(tree, body, 'comunicazioni', 'comunicazione').map((node) => {
    const { codice = '', messaggio = '' } = readTold(tree, node, new Set(['codice', 'messaggio'] as const))
    return [codice, messaggio] as const
  })
  return {
    accepted: codEsito === '0',
    errors,
    credentialsRefused: errors.some(({ code }) => ofCredentials.has(code)),
    communications: new Map(said),
  }
}
