import { apiProblems, formProblems, methodNotAllowed, otherProblems, pathUnknown } from './problem.ts'

/** A type of problem, explained to whoever writes a client. */
export interface ProblemPage {
  /** The last part of `urn:crocevia:problem:<word>`, which never changes. */
  readonly word: string
  readonly title: string
  readonly statuses: readonly number[]
  readonly meaning: string
  readonly whatToDo: string
}

const again = 'Try again later; after Retry-After where it is told.'
const mend = 'Correct the request; the same request fails again.'
const others = 'The other communities have been asked all the same. Try again later.'

/** Meaning and remedy by the word of the type. */
const words: Readonly<Record<string, readonly [meaning: string, whatToDo: string]>> = {
  'request-malformed': [
    'The request is not one that can be read: its body is no JSON object, names a member twice, a header comes twice, or a token stands in the address.',
    mend,
  ],
  'media-type-unsupported': ['The body is of another type than the operation takes.', 'Send application/json.'],
  'request-too-large': ['The request is larger than is taken.', 'Ask for less at once.'],
  'parameter-missing': [
    'Something that the operation needs is missing; the detail names it. An emergency needs its declared reason.',
    mend,
  ],
  'parameter-count': ['Something occurs too often, or lists too much; the detail names it.', mend],
  'parameter-invalid': [
    'Something has a value that it cannot have; the detail names it and never repeats the value.',
    mend,
  ],
  'query-unsupported': ['The question is understood and cannot be answered here.', mend],
  'metadata-invalid': ['Metadata break a rule of the affinity domain.', mend],
  'document-duplicate': ['The document is there already.', 'Replace it instead.'],
  'document-unknown': [
    'There is no such document for this caller: it never was, the handle is of another viewer, altered or too old, or it may not be shown. Nothing tells these apart.',
    'Ask for the index again and use the handle it tells.',
  ],
  'repository-unknown': ['The repository is not known.', 'Ask for the index again.'],
  'patient-unknown': ['Nobody is known under the identifier.', 'Check the identifier and its authority.'],
  'patient-mismatch': ['The request speaks of more than one person.', mend],
  'community-unknown': ['The community that is named is not known here.', 'Leave it out, or name another.'],
  'community-missing': ['The question must name a community.', mend],
  'too-many-results': ['There are more results than can be told.', 'Narrow the question: types, period, community.'],
  'request-incomplete': ['The request did not arrive whole in time.', again],
  'token-missing': [
    'The tokens that the consumer agreed to bring are not there.',
    'WWW-Authenticate tells the scheme. Get a token and send it in Authorization.',
  ],
  'token-invalid': [
    'A token, or a proof of possession, is not accepted; reason tells why in one word.',
    'Get a new token. The same one is refused again.',
  ],
  'access-denied': [
    'The tokens do not let this be done: another patient, role, purpose, action or type of document, or the certificate is not one of a consumer.',
    'Do not try again with the same tokens.',
  ],
  'community-unavailable': ['A community cannot be reached.', others],
  'community-timeout': ['A community did not answer in time.', others],
  'community-busy': ['As many requests to the community are under way as may be.', others],
  'community-rejected': [
    'A community refused the request; consequence and consequenceIt tell what that means.',
    'Show the consequence to the user.',
  ],
  'community-misbehaved': ['A community gave an answer that cannot be used, and none of it is.', others],
  'document-altered': [
    'What the holder handed out is not the document that was registered. It is not given away.',
    'Tell the user that the document cannot be shown, and the operators.',
  ],
  overloaded: ['As many exchanges are under way as may be.', again],
  internal: [
    'The gateway failed, by itself. Its log has more under the correlation id.',
    'Try again once; then tell the operators the correlation id.',
  ],
  'keys-unavailable': [
    'The keys of whoever issued the token cannot be had now, so that nothing can be verified.',
    again,
  ],
  'too-many-requests': [
    'The consumer has asked more in this minute than is agreed; X-RateLimit-* tell how much that is.',
    'Wait for the seconds in Retry-After.',
  ],
  'path-unknown': ['Nothing is served at this address.', 'See /openapi.json.'],
  'method-not-allowed': ['The address is served, by other methods; Allow names them.', 'See /openapi.json.'],
  'form-unknown': ['The document has no such form.', 'Ask for the original.'],
  'form-failed': ['The form could not be made.', 'Ask for the original.'],
  'forms-busy': [
    'As many documents are being read for their forms as may be.',
    'Ask for the original, or try again later.',
  ],
  'document-too-large-for-this-form': ['The document is too large for the form to be made.', 'Ask for the original.'],
  'document-too-complex-for-this-form': [
    'The document is too complex for the form to be made; reason tells why in one word.',
    'Ask for the original.',
  ],
  'document-not-readable': [
    'The document cannot be read for the form; reason tells why in one word.',
    'Ask for the original.',
  ],
}

const all = [
  ...Object.values(apiProblems),
  ...Object.values(formProblems),
  ...otherProblems,
  ...[pathUnknown, methodNotAllowed],
]

/** Every type of problem, each once. Throws when one is not explained. */
export const problemPages: readonly ProblemPage[] = [...Map.groupBy(all, ({ word }) => word)].map(([word, told]) => {
  const explained = words[word]
  if (explained === undefined) throw new TypeError(`The problem ${word} is not explained`)
  const [meaning, whatToDo] = explained
  const statuses = [...new Set(told.map(({ status }) => status))]
  return { word, title: told[0]?.title ?? word, statuses, meaning, whatToDo }
})
