import type { SistemaTsSession } from '../config/sistema-ts.ts'
import { GatewayError } from '../core/errors.ts'
import type { Clock } from '../core/ports.ts'
import type { ChannelParts } from '../trust/sistema-ts/channel.ts'
import { createdSession, type SessionSource } from '../trust/sistema-ts/session.ts'
import { answerOf, encodeTsEnvelope } from '../wire/sistema-ts/ask.ts'
import { faultError, openResponse } from '../wire/sistema-ts/fault.ts'
import type { Operation } from '../wire/sistema-ts/operation.ts'
import { issuesOf } from '../wire/sistema-ts/outcome.ts'
import {
  checkSession,
  createSession,
  type SecondFactorAnswer,
  type SecondFactorUser,
} from '../wire/sistema-ts/second-factor.ts'
import { soap11Type, soapActionOf } from '../wire/soap11.ts'
import type { SistemaTsMaterial } from './material.ts'

type Settings = Extract<SistemaTsSession, { create: string }>

interface Parts {
  readonly clock: Clock
  readonly material: () => SistemaTsMaterial
  readonly channelParts: Omit<ChannelParts, 'present'>
  /** The key of the credentials, and the header that presents them. */
  readonly identity: () => { readonly key: string; readonly authorization: string }
}

/** Sessions asked for at the second factor's own service, under the same latch as everything else. */
export function sessionCreator(settings: Settings, { clock, material, channelParts, identity }: Parts): SessionSource {
  const { latch, encipher, send } = channelParts

  async function ask<Request, Answer extends SecondFactorAnswer>(
    operation: Operation<Request, Answer>,
    request: Request,
  ): Promise<Answer> {
    const { key, authorization } = identity()
    const signal = AbortSignal.timeout(settings.timeoutMs)
    return await latch.run(key, signal, async () => {
      const response = await send({
        url: settings.create,
        method: 'POST',
        headers: {
          'content-type': soap11Type,
          soapaction: soapActionOf(operation.action ?? ''),
          authorization,
        },
        body: encodeTsEnvelope(operation.encode(request)),
        signal,
      })
      const opened = openResponse(response)
      if ('kind' in opened && opened.kind === 'authentication') {
        return { outcome: 'refused', error: faultError(opened) }
      }
      const value = answerOf(operation, response)
      return value.credentialsRefused ? { outcome: 'refused', error: refusal(value) } : { outcome: 'accepted', value }
    })
  }

  const user = (): SecondFactorUser & { readonly cfUtente?: string } => {
    const { basic, pinCode, codiceFiscale } = material()
    return {
      ...(basic === undefined ? {} : { userId: basic.user }),
      identificativo: { tipo: 'P', valore: encipher(pinCode) },
      ...(codiceFiscale === undefined ? {} : { cfUtente: codiceFiscale }),
    }
  }
  const scope = { contesto: settings.context, applicazione: settings.application }

  return createdSession({
    clock,
    renewMs: settings.renewMs,
    async create() {
      const answer = await ask(createSession, { ...user(), ...placeOf(settings), ...scope })
      if (answer.accepted) return answer.token
      throw noSession(answer)
    },
    async check(token) {
      const { session } = await ask(checkSession, { ...user(), token, ...scope })
      return session?.valid === true ? session.until : undefined
    },
  })
}

function noSession(answer: SecondFactorAnswer): GatewayError {
  return new GatewayError('community-rejected', 'Sistema TS gave no session', { issues: issuesOf(answer) })
}

function refusal(answer: SecondFactorAnswer): GatewayError {
  return new GatewayError('community-rejected', 'Sistema TS did not accept our credentials', {
    details: { reason: 'authentication' },
    issues: issuesOf(answer),
  })
}

function placeOf({ region, localAuthority, facility, structure }: Settings) {
  return {
    ...(region === undefined ? {} : { codRegione: region }),
    ...(localAuthority === undefined ? {} : { codAslAo: localAuthority }),
    ...(facility === undefined ? {} : { codSsa: facility }),
    ...(structure === undefined ? {} : { codiceStruttura: structure }),
  }
}
