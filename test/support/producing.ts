import { attributeAssertion, type Claims } from '../network/assertion.ts'
import { cx, type DocumentFacts, type Identifier, isObscured } from '../network/entry.ts'
import type { Network } from '../network/network.ts'
import { type RegistryAnswer, readRegistryAnswer } from '../network/push-answer.ts'
import { readIdentity, send, soapRequest } from '../network/soap-client.ts'
import {
  deleteDocumentSet,
  type Known,
  type Purpose,
  registerDocumentSet,
  removeObjectsRequest,
  type SubmissionWishes,
  submissionOf,
  submitObjectsRequest,
  updateDocumentSet,
} from '../network/submission.ts'

/** What of a message differs from the usual. */
export interface ProducerWishes
  extends Pick<Claims, 'role' | 'purpose' | 'action' | 'subject'>,
    Pick<SubmissionWishes, 'content'> {
  readonly actionUri?: string
}

/** A Tuscan system that publishes what its doctors write, at the door of the gateway's own consumers. */
export interface Producer {
  create(facts: DocumentFacts, wishes?: ProducerWishes): Promise<RegistryAnswer>
  replace(facts: DocumentFacts, older: Known, wishes?: ProducerWishes): Promise<RegistryAnswer>
  update(facts: DocumentFacts, former: Known, wishes?: ProducerWishes): Promise<RegistryAnswer>
  remove(facts: DocumentFacts, ids: readonly string[], wishes?: ProducerWishes): Promise<RegistryAnswer>
}

export async function producerOf({ certificates, gateway }: Network, party = 'portal'): Promise<Producer> {
  const { channel, signer } = await readIdentity(certificates, party)

  async function said(
    body: string,
    about: { readonly patient: Identifier; readonly by: DocumentFacts },
    { actionUri, content: _, ...wishes }: ProducerWishes & { readonly actionUri: string },
  ): Promise<RegistryAnswer> {
    const { author, typeCode } = about.by
    const assertion = attributeAssertion(
      {
        patient: cx(about.patient),
        subject: cx(author.person),
        role: author.role,
        documentTypes: [`${typeCode.code}^^${typeCode.scheme}`],
        ...wishes,
      },
      signer,
    )
    const message = soapRequest({ to: gateway.iti18, action: actionUri, assertions: [assertion], body })
    const headers = { 'content-type': 'application/soap+xml; charset=utf-8' }
    return readRegistryAnswer(await send(gateway.iti18, channel, { headers, body: message }))
  }

  const submitted = (facts: DocumentFacts, purpose: Purpose, wishes: ProducerWishes & { actionUri: string }) => {
    const { content } = wishes
    const submission = submissionOf(facts, purpose, content === undefined ? {} : { content })
    return said(submitObjectsRequest(submission), { patient: facts.patient, by: facts }, wishes)
  }

  return {
    create: (facts, wishes = {}) =>
      submitted(
        facts,
        { kind: 'create' },
        { actionUri: registerDocumentSet, action: 'CREATE', purpose: 'TREATMENT', ...wishes },
      ),
    replace: (facts, older, wishes = {}) =>
      submitted(
        facts,
        { kind: 'replace', older },
        { actionUri: registerDocumentSet, action: 'UPDATE', purpose: 'UPDATE', ...wishes },
      ),
    update: (facts, former, wishes = {}) =>
      submitted(
        facts,
        { kind: 'update', former },
        {
          actionUri: updateDocumentSet,
          action: 'UPDATE',
          purpose: isObscured(facts) ? 'ACCESS UPDATE' : 'UPDATE',
          ...wishes,
        },
      ),
    remove: (facts, ids, wishes = {}) =>
      said(
        removeObjectsRequest(ids),
        { patient: facts.patient, by: facts },
        { actionUri: deleteDocumentSet, action: 'DELETE', purpose: 'UPDATE', ...wishes },
      ),
  }
}
