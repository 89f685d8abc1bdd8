/** What a byte of character data is: white space first, so that `<= PLAIN` means "nothing to do". */
export const WHITE = 0
export const PLAIN = 1
export const SPECIAL = 2

const TAB = 0x09
const LINE_FEED = 0x0a
const RETURN = 0x0d
const SPACE = 0x20
/** The lead byte of U+FFFE and U+FFFF, the only valid UTF-8 beyond ASCII that is not an XML character. */
const NONCHARACTER_LEAD = 0xef

function bytes(kindOf: (byte: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => kindOf(byte))
}

function needsLook(byte: number): boolean {
  return (byte < SPACE && byte !== TAB && byte !== LINE_FEED) || byte === NONCHARACTER_LEAD
}

/** Character data: `<`, `&`, `]`, carriage return and whatever may not stand there are SPECIAL. */
export const textBytes = bytes((byte) => {
  if (byte === SPACE || byte === TAB || byte === LINE_FEED) return WHITE
  return needsLook(byte) || '<&]'.includes(String.fromCharCode(byte)) ? SPECIAL : PLAIN
})

/** Comments and CDATA sections: `-`, `]`, carriage return and whatever may not stand there are SPECIAL. */
export const rawBytes = bytes((byte) => {
  if (byte === SPACE || byte === TAB || byte === LINE_FEED) return WHITE
  return needsLook(byte) || '-]'.includes(String.fromCharCode(byte)) ? SPECIAL : PLAIN
})

/** Attribute values: 1 ends a run (quotes, `<`, `&`, white space to be normalised, what may not stand there). */
export const attributeBytes = bytes((byte) =>
  needsLook(byte) || '"\'<&\t\n'.includes(String.fromCharCode(byte)) ? 1 : 0,
)

/** 1 where a name may go on: ASCII name characters, colon, and every byte beyond ASCII, judged when first seen. */
export const nameBytes = bytes((byte) => (byte >= 0x80 || /[A-Za-z0-9_:.-]/.test(String.fromCharCode(byte)) ? 1 : 0))

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
    code === 0x2d ||
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
