/** How a counterpart can be made to behave; `docs` beside each, what whoever asks meets. */
export const behaviours = [
  /** Answers, as it should. */
  'normal',
  /** Takes the request and never answers. */
  'hang',
  /** Answers so slowly, a few bytes at a time, that the end never comes. */
  'drip',
  /** Takes the request and breaks the connection. */
  'reset',
  /** Is well, and will not tell: a refusal in its own dialect. */
  'refuse',
  /** Answers with success and bytes that are nothing. */
  'garbage',
  /** Answers about somebody else. */
  'wrong-patient',
  /** Answers late. */
  'slow',
  /** Answers with far too much. */
  'oversize',
  /** Answers with half a message. */
  'malformed',
  /** Is broken inside, and says so. */
  'fault',
  /** Tells what it has, and that something is missing. */
  'partial',
  /** Knows nothing of anybody. */
  'empty',
  /** Tells one entry without an id among good ones. */
  'odd-entry',
  /** Tells of documents without saying what they are made of: neither hash nor size. */
  'unhashed',
  /** Does not listen at all. */
  'down',
  /** Cuts the connection in the middle of the answer. */
  'truncated',
  /** Says that the answer is shorter than it is. */
  'short',
  /** Answers slowly, and comes to an end. */
  'slow-drip',
  // Of those who hand out documents:
  /** The first document differs from the registered one by one bit. */
  'altered',
  /** The first document is spoken of and not there. */
  'missing-part',
  /** One document more than was asked for. */
  'extra-document',
  /** The bytes of another document under the first one's name. */
  'wrong-document',
  /** The first document in base64 that is none. */
  'base64-broken',
  // Of those who take what is pushed:
  /** Has no time just now, and asks to be tried again: XDSRegistryBusy, or 503. */
  'busy',
  /** Says that it has stored what it has not. */
  'forgetful',
  /** Stores, and has something to remark: `issues`, with success. */
  'remark',
  // Of INI:
  /** INI: the region of assistance could not be told of the retrieval (RtRE3). */
  'unnotified',
  /** INI: knows of no search, whatever was searched for (RTW2). */
  'unsearched',
  /** INI: the document lies with who asks (RTW1). */
  'with-caller',
  /** INI: makes the change, and answers that the region of assistance could not be heard (CRF1). */
  'unheard',
] as const

export type Behaviour = (typeof behaviours)[number]

/** What a registry has to say, in the words of its choice. */
export interface Remark {
  readonly code: string
  readonly text: string
  /** Default `Error` of who refuses, `Warning` of who remarks. */
  readonly severity?: 'Error' | 'Warning'
}

export interface Setting {
  readonly behave: Behaviour
  /** What is said by who takes pushes, or passes them on, and is told to `refuse` or to `remark`. */
  readonly issues?: readonly Remark[]
  /** `slow`: how late, default 2000. `drip`: between two pieces, default 100; `slow-drip`: 20. */
  readonly delayMs?: number
  /** After so many requests it is normal again; absent: until told otherwise. Not for `down`. */
  readonly times?: number
  /** Only this face of the counterpart; absent: all of them. Not for `down`. */
  readonly face?: string
}

export function isBehaviour(text: unknown): text is Behaviour {
  return behaviours.some((known) => known === text)
}

/** The setting in force, spent request by request. */
export interface Manners {
  readonly current: Setting
  set(setting: Setting): void
  /** How to treat the request that has just come in at a face. */
  next(face: string): Setting
}

const normal: Setting = { behave: 'normal' }

export function manners(): Manners {
  let current = normal
  return {
    get current() {
      return current
    },
    set(setting) {
      current = setting
    },
    next(face) {
      if (current.face !== undefined && current.face !== face) return normal
      const setting = current
      if (setting.times !== undefined) {
        current = setting.times > 1 ? { ...setting, times: setting.times - 1 } : normal
      }
      return setting
    },
  }
}
