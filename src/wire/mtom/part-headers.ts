import { contentIdOf, trimBlanks } from './content-id.ts'
import { MtomError } from './mtom-error.ts'

/** How the content of a part travels (RFC 2045 §6); the first three leave it as it is. */
export type TransferEncoding = '7bit' | '8bit' | 'binary' | 'base64' | 'quoted-printable'

/** The headers of a part, names in lower case, folded lines unfolded. */
export interface PartHeaders {
  /** Without angle brackets. */
  readonly contentId?: string
  /** As it was written; `text/plain` when it is not said (RFC 2046 §5.1). */
  readonly contentType: string
  /** `binary` when it is not said, since HTTP carries bytes as they are. */
  readonly transferEncoding: TransferEncoding
  readonly all: ReadonlyMap<string, string>
}

const encodings: ReadonlySet<string> = new Set<TransferEncoding>([
  '7bit',
  '8bit',
  'binary',
  'base64',
  'quoted-printable',
])

const line = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/

/** Collects the header lines of one part. Every method throws MtomError. */
export class HeaderLines {
  readonly #most: number
  readonly #headers = new Map<string, string>()
  #count = 0
  #last = ''

  constructor(most: number) {
    this.#most = most
  }

  /** A line without its end. One that begins with white space goes on the line before (RFC 5322 §2.2.3). */
  add(text: string, offset: number): void {
    if (/^[ \t]/.test(text)) {
      if (this.#last === '' || !/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) throw new MtomError('header', offset)
      this.#headers.set(this.#last, trimBlanks(`${this.#headers.get(this.#last) ?? ''} ${trimBlanks(text)}`))
      return
    }
    const [, name, value] = line.exec(text) ?? []
    if (name === undefined || value === undefined) throw new MtomError('header', offset)
    if (++this.#count > this.#most) throw new MtomError('too-many-headers', offset)
    this.#last = name.toLowerCase()
    if (this.#headers.has(this.#last)) throw new MtomError('duplicate-header', offset)
    this.#headers.set(this.#last, trimBlanks(value))
  }

  /** What the lines say. */
  read(offset: number): PartHeaders {
    const all = this.#headers
    const id = all.get('content-id')
    const transferEncoding = all.get('content-transfer-encoding')?.toLowerCase() ?? 'binary'
    if (!isTransferEncoding(transferEncoding)) throw new MtomError('transfer-encoding', offset)
    return {
      ...(id === undefined ? {} : { contentId: contentIdOf(id, offset) }),
      contentType: all.get('content-type') ?? 'text/plain',
      transferEncoding,
      all,
    }
  }
}

function isTransferEncoding(text: string): text is TransferEncoding {
  return encodings.has(text)
}
