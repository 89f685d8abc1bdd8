import type { GatewayError } from '../../core/errors.ts'
import type { FederatedAnswer } from '../../core/model/answers.ts'
import type { AuthenticatedCall } from '../../core/model/call.ts'
import type { PatientId } from '../../core/model/patient.ts'
import type { DocumentReference } from '../../core/model/retrieval.ts'
import type { HeldDocument } from '../../core/ports.ts'
import type { RequestAction } from '../../wire/actions.ts'
import type { Envelope } from '../../wire/soap.ts'

/** A document that goes with an answer. */
export interface CarriedDocument {
  readonly mimeType: string
  readonly content: HeldDocument
}

/** A body with documents: beside it in a package, or in it as base64, as the request was packaged. */
export interface BodyWithDocuments {
  readonly documents: readonly CarriedDocument[]
  /** The body, told what stands in the place of each document's bytes. */
  readonly xml: (
    place: (document: CarriedDocument) => { readonly contentId: string } | { readonly base64: string },
  ) => string
}

/** One transaction as data: from the message in the body to the message in the answer's body. */
export interface SoapTransaction<Request, Answer> {
  readonly id: `ITI-${number}`
  readonly action: RequestAction
  /** Within which its answer is made, from the arrival of the message on; absent, as the service's. */
  readonly deadlineMs?: number
  /** Throws GatewayError. */
  readonly decode: (envelope: Envelope) => Request
  readonly handle: (request: Request, call: AuthenticatedCall) => Promise<Answer>
  readonly encode: (answer: Answer, request: Request, call: AuthenticatedCall) => string | BodyWithDocuments
  /** The body that tells a failure by the transaction's own means: as an answer to this message, where it could be opened. */
  readonly fail: (error: GatewayError, envelope?: Envelope) => string
  /** What the audit record holds of a request and its answer. */
  readonly account: (request: Request) => {
    readonly patientId?: PatientId
    readonly request: string
    readonly documents?: readonly DocumentReference[]
  }
  readonly outcome: (answer: Answer) => Pick<FederatedAnswer, 'asked'> & {
    readonly failures: readonly { readonly error: GatewayError }[]
    readonly status: 'success' | 'partial-success' | 'failure'
    readonly results: number
  }
}
