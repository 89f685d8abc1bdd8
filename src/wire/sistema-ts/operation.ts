import type { Node, XmlTree } from '../xml.ts'
import { encodeFields, type Fields, type Filled } from './fields.ts'

/** The names of an operation, verbatim those of its WSDL (sistema-ts.md A.2). */
export interface OperationNames {
  readonly name: string
  /** Under the host of its family. Absent where the service is a region's own. */
  readonly path?: string
  /** Absent where no public source tells it: then it must be configured. */
  readonly action?: string
  /** Namespace and local name of the message. */
  readonly request: readonly [namespace: string, local: string]
  /** Local name of the answer; its namespace is not insisted on. */
  readonly answer: string
}

/** One operation that reads: how it is asked and what it answers. */
export interface Operation<Request, Answer> extends OperationNames {
  /** Serialised. Throws `parameter-invalid` for what the schema refuses. */
  encode(request: Request, namespace?: string): string
  /** Throws `community-misbehaved`. A refusal of the request is an answer here (`outcome`). */
  decode(tree: XmlTree, body: Node): Answer
}

/** An operation whose request is a sequence of simple fields. */
export function operation<T extends Fields, Answer>(
  names: OperationNames,
  fields: T,
  decode: (tree: XmlTree, body: Node) => Answer,
): Operation<Filled<T>, Answer> {
  const [own, local] = names.request
  return {
    ...names,
    encode: (request, namespace = own) =>
      `<r:${local} xmlns:r="${namespace}">${encodeFields(fields, request, 'r')}</r:${local}>`,
    decode,
  }
}
