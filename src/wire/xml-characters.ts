export const TAB = 0x09
export const LINE_FEED = 0x0a
export const RETURN = 0x0d
export const SPACE = 0x20
export const BANG = 0x21
export const QUOTE = 0x22
export const HASH_SIGN = 0x23
export const AMPERSAND = 0x26
export const APOSTROPHE = 0x27
export const HYPHEN = 0x2d
export const SLASH = 0x2f
export const COLON = 0x3a
export const SEMICOLON = 0x3b
export const LESS = 0x3c
export const EQUALS = 0x3d
export const GREATER = 0x3e
export const QUESTION = 0x3f
export const OPEN_BRACKET = 0x5b
export const CLOSE_BRACKET = 0x5d
/** The lead byte of U+FFFE and U+FFFF, the only valid UTF-8 beyond ASCII that is no XML character. */
export const NONCHARACTER_LEAD = 0xef

/** What a byte of character data is. White space comes first, so that `<= PLAIN` means "nothing to do". */
export const WHITE = 0
export const PLAIN = 1
export const SPECIAL = 2

/** Character data: `<`, `&`, `]`, carriage return and whatever may not stand there are SPECIAL. */
export const textBytes = table((byte) => (isBlank(byte) ? WHITE : needsLook(byte, '<&]') ? SPECIAL : PLAIN))

/** Comments and CDATA sections: `-`, `]`, carriage return and whatever may not stand there are SPECIAL. */
export const rawBytes = table((byte) => (isBlank(byte) ? WHITE : needsLook(byte, '-]') ? SPECIAL : PLAIN))

/** Attribute values: SPECIAL are quotes, `<`, `&`, white space to be normalised, and what may not stand there. */
export const valueBytes = table((byte) => (needsLook(byte, '"\'<&\t\n') ? SPECIAL : PLAIN))

/** 1 where a name may go on: ASCII name characters, colon, and every byte beyond ASCII, judged when first met. */
export const nameBytes = table((byte) => (byte >= 0x80 || /[A-Za-z0-9_:.-]/.test(String.fromCharCode(byte)) ? 1 : 0))

function table(kindOf: (byte: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => kindOf(byte))
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === LINE_FEED
}

function needsLook(byte: number, special: string): boolean {
  const control = byte < SPACE && byte !== TAB && byte !== LINE_FEED
  return control || byte === NONCHARACTER_LEAD || special.includes(String.fromCharCode(byte))
}

/**
 * Whether four bytes, read as one number, are all plain in character data: ASCII, no controls (white space among them),
 * no `&`, `]` or `<`. Each term borrows into a byte's high bit exactly when some byte is the one looked for.
 */
export function isPlainText(word: number): boolean {
  const ampersand = (word ^ 0x26262626) - 0x01010101
  const bracket = (word ^ 0x5d5d5d5d) - 0x01010101
  const less = (word ^ 0x3c3c3c3c) - 0x01010101
  return ((word | (word - 0x20202020) | ampersand | bracket | less) & 0x80808080) === 0
}

/** As `isPlainText`, for attribute values: no quotes, `&` or `<`. */
export function isPlainValue(word: number): boolean {
  const quote = (word ^ 0x22222222) - 0x01010101
  const ampersandOrApostrophe = ((word | 0x01010101) ^ 0x27272727) - 0x01010101
  const less = (word ^ 0x3c3c3c3c) - 0x01010101
  return ((word | (word - 0x20202020) | quote | ampersandOrApostrophe | less) & 0x80808080) === 0
}

/** XML 1.0 (5th edition) NameStartChar without the colon. */
export function startsName(code: number): boolean {
  if (code < 0x80) return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f
  return (
    (code >= 0xc0 && code <= 0x2ff && code !== 0xd7 && code !== 0xf7) ||
    (code >= 0x370 && code <= 0x1fff && code !== 0x37e) ||
    code === 0x200c ||
    code === 0x200d ||
    (code >= 0x2070 && code <= 0x218f) ||
    (code >= 0x2c00 && code <= 0x2fef) ||
    (code >= 0x3001 && code <= 0xd7ff) ||
    (code >= 0xf900 && code <= 0xfdcf) ||
    (code >= 0xfdf0 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0xeffff)
  )
}

/** XML 1.0 (5th edition) NameChar without the colon. */
export function continuesName(code: number): boolean {
  return (
    startsName(code) ||
    (code >= 0x30 && code <= 0x39) ||
    code === HYPHEN ||
    code === 0x2e ||
    code === 0xb7 ||
    (code >= 0x300 && code <= 0x36f) ||
    code === 0x203f ||
    code === 0x2040
  )
}

/** XML 1.0 Char. */
export function isCharacter(code: number): boolean {
  if (code < SPACE) return code === TAB || code === LINE_FEED || code === RETURN
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff)
}

/** XML 1.0 white space (production S). */
export function isWhite(code: number | undefined): boolean {
  return code === SPACE || code === LINE_FEED || code === TAB || code === RETURN
}
