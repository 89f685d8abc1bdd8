import { randomUUID } from 'node:crypto'
import type { Clock } from './server.ts'
import { sequence, type TsSchema } from './sistema-ts-schema.ts'
import { TsFault, type TsMessage } from './sistema-ts-soap.ts'
import { children, type Element, escapeXml, only } from './xml.ts'

export const sessionPath = '/a2f-auth-ws/soap/v1/authentication-service'
const actions = 'http://wsdl.auth.a2f.sts.sanita.finanze.it'
const namespace = 'http://authservice.xsd.wsdl.auth.a2f.sts.sanita.finanze.it'
const types = 'http://datatype.xsd.wsdl.auth.a2f.sts.sanita.finanze.it'

/** A session (ID-SESSIONE): validated when it is given, active once it was used. */
export interface TsSession {
  readonly token: string
  readonly from: number
  readonly until: number
  state: 'validated' | 'active' | 'revoked'
}

export interface TsSessions {
  readonly all: readonly TsSession[]
  /** Whether a call with it goes through. Its first use ends the one before (sistema-ts.md A.6). */
  use(token: string | undefined): boolean
  /** Answers create, revoke and checkToken. Throws TsFault for what is none of them. */
  answer(message: TsMessage, checks: SessionChecks): string
}

export interface SessionChecks {
  readonly isPinCode: (ciphertext: string) => boolean
  readonly user: string
  readonly fiscalCode: string
}

/** What is wrong with a request of the service, by its codes (manual §5.1). */
class SessionError extends Error {
  readonly code: string
  constructor(code: string, text: string) {
    super(text)
    this.code = code
  }
}

/** `lifetimeMs` defaults to the eight hours that are promised at least. */
export function tsSessions({ clock, lifetimeMs = 8 * 3_600_000 }: { clock: Clock; lifetimeMs?: number }): TsSessions {
  const all: TsSession[] = []
  const live = (session: TsSession) => session.state !== 'revoked' && clock.now() < session.until
  const found = (token: string): TsSession => {
    const session = all.find((one) => one.token === token)
    if (session === undefined) throw new SessionError('603', 'ID-SESSIONE inesistente')
    return session
  }
  const revoked = (session: TsSession | undefined) => {
    if (session !== undefined) session.state = 'revoked'
  }

  function create(fields: Fields): string {
    if (fields.contesto !== 'RICETTA-DEM' || !/^(PRESCRITTORE|EROGATORE)$/.test(fields.applicazione ?? '')) {
      throw new SessionError('22', 'Contesto o applicazione errati')
    }
    // Only the one that was not used yet is replaced.
    revoked(all.find((one) => live(one) && one.state === 'validated'))
    const from = clock.now()
    const session: TsSession = { token: randomUUID(), from, until: from + lifetimeMs, state: 'validated' }
    all.push(session)
    return communications(['token', session.token], ['working-mode', 'TEST'])
  }

  function revoke(fields: Fields): string {
    const session = found(fields.token ?? '')
    if (session.state === 'revoked') throw new SessionError('05', 'ID-SESSIONE già revocato')
    revoked(session)
    return communications(['working-mode', 'TEST'])
  }

  function check(fields: Fields): string {
    const { from, until, ...session } = found(fields.token ?? '')
    const valid = live({ ...session, from, until })
    return (
      `<ns2:infoToken><stato>${valid ? 0 : 1}</stato><descrizione>${valid ? 'Valido' : 'Revocato'}</descrizione>` +
      `<dataInizioValidita>${moment(from)}</dataInizioValidita><dataFineValidita>${moment(until)}</dataFineValidita>` +
      `</ns2:infoToken>${communications(['working-mode', 'TEST'])}`
    )
  }

  const operations = { create, revoke, checkToken: check } as const
  return {
    all,
    use(token) {
      const session = all.find((one) => one.token === token)
      if (session === undefined || !live(session)) return false
      if (session.state === 'validated') {
        revoked(all.find((one) => one.state === 'active'))
        session.state = 'active'
      }
      return true
    },
    answer({ action, payload }, checks) {
      const name = (Object.keys(operations) as (keyof typeof operations)[]).find(
        (one) => action === `${actions}/${one}`,
      )
      if (name === undefined) throw new TsFault('The action is none of the service')
      const response = `${payload.localName?.replace(/Req$/, 'Res')}`
      const open = `<ns2:${response} xmlns:ns2="${namespace}" xmlns="${types}">`
      try {
        return `${open}<ns2:codEsito>0</ns2:codEsito>${operations[name](read(payload, schemas[name], checks))}</ns2:${response}>`
      } catch (error) {
        if (!(error instanceof SessionError)) throw error
        const errors =
          `<ns2:errori><errore><tipoErrore>E</tipoErrore><codEsito>${error.code}</codEsito>` +
          `<descrEsito>${escapeXml(error.message)}</descrEsito></errore></ns2:errori>`
        return `${open}<ns2:codEsito>1</ns2:codEsito>${errors}${communications(['working-mode', 'TEST'])}</ns2:${response}>`
      }
    },
  }
}

type Fields = Readonly<Record<string, string>>

const owner = 'userId? identificativo? cfUtente?:0-16'
const schemas: Readonly<Record<string, TsSchema>> = Object.fromEntries(
  (
    [
      [
        'create',
        'CreateAuthReq',
        `${owner} codRegione?:0-3 codAslAo?:0-3 codSsa?:0-6 codiceStruttura?:0-10 contesto?:1-30 applicazione?:0-30`,
      ],
      ['revoke', 'RevokeAuthReq', `${owner} token:36-36 contesto?:1-30 applicazione?:0-30`],
      ['checkToken', 'CheckTokenReq', `${owner} token:36-36 contesto?:1-30 applicazione?:0-30`],
    ] as const
  ).map(([name, local, fields]) => [name, { namespace, local, fields: sequence(fields) }]),
)

function read(payload: Element, schema: TsSchema | undefined, { isPinCode, user, fiscalCode }: SessionChecks): Fields {
  if (schema === undefined || payload.localName !== schema.local || payload.namespaceURI !== namespace) {
    throw new TsFault('cvc-elt.1: Cannot find the declaration of the element.')
  }
  const order = schema.fields.map(({ name }) => name)
  let last = -1
  const fields: Record<string, string> = {}
  for (const child of children(payload)) {
    const at = order.indexOf(child.localName ?? '')
    if (at <= last || child.namespaceURI !== namespace) {
      throw new TsFault(`cvc-complex-type.2.4.a: Invalid content was found starting with '${child.localName}'.`)
    }
    last = at
    fields[child.localName ?? ''] = child.textContent ?? ''
  }
  requireUser(only(payload, namespace, 'identificativo'), { isPinCode })
  if (fields.userId !== undefined && fields.userId !== user) throw new SessionError('602', 'Utente diverso da userId')
  if (fields.cfUtente !== undefined && fields.cfUtente !== fiscalCode)
    throw new SessionError('306', 'Codice fiscale errato')
  return fields
}

function requireUser(told: Element | undefined, { isPinCode }: Pick<SessionChecks, 'isPinCode'>): void {
  if (told === undefined) throw new SessionError('21', 'Tipo identificativo mancante')
  if (only(told, types, 'tipo')?.textContent !== 'P') throw new SessionError('303', 'Tipo identificativo non valido')
  if (!isPinCode(only(told, types, 'valore')?.textContent ?? '')) throw new SessionError('302', 'Pincode errato')
}

function communications(...said: readonly (readonly [string, string])[]): string {
  const all = said.map(
    ([code, text]) =>
      `<comunicazione><codice>${code}</codice><messaggio>${escapeXml(text)}</messaggio></comunicazione>`,
  )
  return `<ns2:comunicazioni>${all.join('')}</ns2:comunicazioni>`
}

function moment(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}.000+00:00`
}
