import { Buffer } from 'node:buffer'
import { Base64Decoder } from './base64.ts'
import { MtomError, type MtomReason } from './mtom-error.ts'
import { HeaderLines, type PartHeaders, type TransferEncoding } from './part-headers.ts'
import { QuotedPrintableDecoder } from './quoted-printable.ts'

/** What one multipart message may cost. Whatever exceeds a bound is refused with an MtomError that names it. */
export interface MultipartLimits {
  readonly maxParts: number
  /** Per part. */
  readonly maxHeaders: number
  /** Per part, line ends included. */
  readonly maxHeaderBytes: number
  /** Before the first delimiter, and again after the closing one. */
  readonly maxOutsideBytes: number
  /** Of the whole message. */
  readonly maxBytes: number
}

export const defaultMultipartLimits: MultipartLimits = {
  maxParts: 256,
  maxHeaders: 32,
  maxHeaderBytes: 8 * 1024,
  maxOutsideBytes: 8 * 1024,
  maxBytes: Number.POSITIVE_INFINITY,
}

/**
 * What a message turns out to hold, in order: `part`, any number of `data`, `end`, for each part. `bytes` are decoded
 * content, never empty; they may lie in the memory that was pushed.
 */
export type MultipartEvent =
  | { readonly kind: 'part'; readonly headers: PartHeaders }
  | { readonly kind: 'data'; readonly bytes: Buffer }
  | { readonly kind: 'end' }

const TAB = 0x09
const LINE_FEED = 0x0a
const RETURN = 0x0d
const SPACE = 0x20
const HYPHEN = 0x2d

/** The most white space that may stand behind a boundary. */
const maxPadding = 76

const nothing = Buffer.alloc(0)

/** What follows a boundary: the end of a delimiter line, something that makes it content, or not enough to tell. */
type Ending =
  | { readonly next: number; readonly closing: boolean; readonly lineEnd: '\n' | '\r\n' }
  | 'content'
  | 'undecided'

/** Decodes the content of a part as it comes. */
interface Decoder {
  push(bytes: Buffer): Buffer
  end(): Buffer
}

/**
 * Splits a multipart message (RFC 2046 §5.1) that is pushed in chunks of any size, and says at once what each chunk
 * completed. Nothing is kept but what may still become a delimiter (under 160 bytes) and the header line under way, so
 * that memory is constant and whoever pushes sets the pace. The closing delimiter is required.
 *
 * Line ends are those of the first delimiter line, CRLF or, as some peers have it, LF, and then the same throughout:
 * `LF--boundary` in a message of CRLFs is content. So is a line that begins as a delimiter and then goes on otherwise.
 * After an MtomError a splitter is of no more use.
 */
export class MultipartSplitter {
  readonly #limits: MultipartLimits
  /** `--boundary`, and the same after a line end; any line end until the first delimiter tells which. */
  readonly #marker: Buffer
  #delimiter: Buffer
  #lineEnd: '' | '\n' | '\r\n' = ''
  #state: 'preamble' | 'headers' | 'body' | 'epilogue' = 'preamble'
  /** At the very start of the preamble or a body, where a delimiter needs no line end of its own. */
  #fresh = true
  /** Bytes that may yet become a delimiter. */
  #held: Buffer = nothing
  #events: MultipartEvent[] = []
  #decoder: Decoder | undefined
  #parts = 0
  #headers: HeaderLines
  #headerBytes = 0
  #line = ''
  #outside = 0
  #total = 0
  /** Bytes of the message before the window that is looked at. */
  #passed = 0

  /** `boundary` is one that `isBoundary` holds for. */
  constructor(boundary: string, limits: MultipartLimits = defaultMultipartLimits) {
    this.#limits = limits
    this.#marker = Buffer.from(`--${boundary}`, 'latin1')
    this.#delimiter = Buffer.from(`\n--${boundary}`, 'latin1')
    this.#headers = new HeaderLines(limits.maxHeaders)
  }

  /** Throws MtomError. `bytes` may lie in what is given out, so they must not change while that is in use. */
  push(bytes: Uint8Array): readonly MultipartEvent[] {
    this.#total += bytes.length
    if (this.#total > this.#limits.maxBytes) this.#refuse('too-large', 0)
    return this.#take(bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  }

  /** Says that the message ends here. Throws MtomError unless its closing delimiter was there. */
  end(): readonly MultipartEvent[] {
    let events: readonly MultipartEvent[] = []
    if ((this.#state === 'preamble' || this.#state === 'body') && this.#held.length > 0) {
      // The line of the closing delimiter may end with the message instead of a line end.
      events = this.#take(Buffer.from(this.#held.at(-1) === RETURN ? '\n' : this.#lineEnd || '\n'))
    }
    if (this.#state === 'preamble') this.#refuse('no-delimiter', 0)
    if (this.#state !== 'epilogue') this.#refuse('truncated', 0)
    return events
  }

  #take(chunk: Buffer): readonly MultipartEvent[] {
    const window = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = nothing
    let at = 0
    while (at < window.length) {
      if (this.#state === 'headers') at = this.#readHeaders(window, at)
      else if (this.#state === 'epilogue') at = this.#give(window, at, window.length)
      else at = this.#readContent(window, at)
    }
    this.#passed += window.length - this.#held.length
    const events = this.#events
    this.#events = []
    return events
  }

  /** Preamble or body, up to and with the line that delimits it, or as far as the window is known to be content. */
  #readContent(window: Buffer, from: number): number {
    if (this.#fresh) {
      const ending = this.#endingAfter(window, from, this.#marker)
      if (ending === 'undecided') return this.#hold(window, from)
      if (ending !== 'content') return this.#delimit(ending)
      this.#fresh = false
    }
    let search = from
    for (;;) {
      let at = window.indexOf(this.#delimiter, search)
      if (at < 0) at = this.#lastStart(window, search)
      const ending = this.#endingAfter(window, at, this.#delimiter)
      if (ending === 'content') {
        search = at + this.#delimiter.length
        continue
      }
      this.#give(window, from, at)
      return ending === 'undecided' ? this.#hold(window, at) : this.#delimit(ending)
    }
  }

  /** Where a delimiter may begin that the window does not hold whole; its end when nowhere. */
  #lastStart(window: Buffer, search: number): number {
    const delimiter = this.#delimiter
    for (let at = Math.max(search, window.length - delimiter.length + 1); at < window.length; at++) {
      if (window[at] === delimiter[0] && agree(window, at, delimiter)) return at
    }
    return window.length
  }

  /** What follows `marker`, which stands at `at` or, at the window's end, may turn out to. */
  #endingAfter(window: Buffer, at: number, marker: Buffer): Ending {
    if (!agree(window, at, marker)) return 'content'
    let next = at + marker.length
    if (next >= window.length) return 'undecided'
    let closing = false
    if (window[next] === HYPHEN) {
      if (next + 1 === window.length) return 'undecided'
      if (window[next + 1] !== HYPHEN) return 'content'
      closing = true
      next += 2
    }
    const padding = next
    while (window[next] === SPACE || window[next] === TAB) next++
    if (next - padding > maxPadding) this.#refuse('delimiter', at)
    if (next === window.length) return 'undecided'
    if (window[next] === LINE_FEED) return { next: next + 1, closing, lineEnd: '\n' }
    if (window[next] !== RETURN) return 'content'
    if (next + 1 === window.length) return 'undecided'
    if (window[next + 1] !== LINE_FEED) this.#refuse('delimiter', at)
    return { next: next + 2, closing, lineEnd: '\r\n' }
  }

  /** Passes a delimiter line. Gives where the next thing begins. */
  #delimit({ next, closing, lineEnd }: Exclude<Ending, string>): number {
    if (this.#lineEnd === '') {
      this.#lineEnd = lineEnd
      this.#delimiter = Buffer.concat([Buffer.from(lineEnd), this.#marker])
    } else if (this.#lineEnd !== lineEnd) this.#refuse('line-ends', next)
    if (this.#state === 'body') {
      const rest = this.#decoder?.end()
      if (rest !== undefined && rest.length > 0) this.#events.push({ kind: 'data', bytes: rest })
      this.#events.push({ kind: 'end' })
    }
    if (closing) {
      if (this.#parts === 0) this.#refuse('no-parts', next)
      this.#state = 'epilogue'
      this.#outside = 0
    } else {
      if (++this.#parts > this.#limits.maxParts) this.#refuse('too-many-parts', next)
      this.#state = 'headers'
      this.#headers = new HeaderLines(this.#limits.maxHeaders)
      this.#headerBytes = 0
    }
    return next
  }

  /** The rest of a header line. */
  #readHeaders(window: Buffer, from: number): number {
    const lineFeed = window.indexOf(LINE_FEED, from)
    const next = lineFeed < 0 ? window.length : lineFeed + 1
    this.#headerBytes += next - from
    if (this.#headerBytes > this.#limits.maxHeaderBytes) this.#refuse('headers-too-large', from)
    this.#line += window.toString('latin1', from, next)
    if (lineFeed < 0) return next
    const line = this.#line
    this.#line = ''
    if (line.endsWith('\r\n') !== (this.#lineEnd === '\r\n')) this.#refuse('line-ends', from)
    if (line === this.#lineEnd) {
      const headers = this.#headers.read(this.#passed + from)
      this.#events.push({ kind: 'part', headers })
      this.#decoder = decoderFor(headers.transferEncoding)
      this.#state = 'body'
      this.#fresh = true
    } else this.#headers.add(line.slice(0, -this.#lineEnd.length), this.#passed + from)
    return next
  }

  #give(window: Buffer, from: number, to: number): number {
    if (this.#state === 'body') {
      const content = window.subarray(from, to)
      const bytes = this.#decoder === undefined ? content : this.#decoder.push(content)
      if (bytes.length > 0) this.#events.push({ kind: 'data', bytes })
    } else {
      this.#outside += to - from
      if (this.#outside > this.#limits.maxOutsideBytes) this.#refuse('too-much-outside', from)
    }
    return to
  }

  #hold(window: Buffer, from: number): number {
    this.#held = Buffer.from(window.subarray(from))
    return window.length
  }

  #refuse(reason: MtomReason, at: number): never {
    throw new MtomError(reason, this.#passed + at)
  }
}

/** Whether the window has `marker` at `at`, as far as it goes. */
function agree(window: Buffer, at: number, marker: Buffer): boolean {
  const length = Math.min(marker.length, window.length - at)
  return window.compare(marker, 0, length, at, at + length) === 0
}

function decoderFor(encoding: TransferEncoding): Decoder | undefined {
  if (encoding === 'base64') return new Base64Decoder()
  return encoding === 'quoted-printable' ? new QuotedPrintableDecoder() : undefined
}
