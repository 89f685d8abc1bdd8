/** What may be an identifier: of a person without any digit (omocodia), or anything long with one, or with HL7's carets. */
const identifier = /^[a-z]{16}$|^(?=.*[0-9]).{11,}$|\^/i

/** Somebody else's words, cut, and without whatever may say whom or which document they are about. */
export function harmless(text: string, most = 200): string {
  return text.replace(/[^\s,;:'"()[\]=]+/g, (word) => (identifier.test(word) ? '…' : word)).slice(0, most)
}
