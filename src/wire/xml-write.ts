/** Characters that are written otherwise, and those XML 1.0 cannot carry at all (with `u`, a surrogate here is a lone one). */
const inText = /[&<>\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/u
const inAttribute = /[&<>"'\t\n\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/u
const everyInText = new RegExp(inText, 'gu')
const everyInAttribute = new RegExp(inAttribute, 'gu')

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

/**
 * A string as text content. `>` is escaped as well, since `]]>` may not stand in text, and the carriage return, which a
 * reader would take for a line end. Throws RangeError on what XML cannot carry.
 */
export function escapeText(text: string): string {
  return inText.test(text) ? text.replace(everyInText, reference) : text
}

/**
 * A string as an attribute value, for either kind of quotes; tabs and line ends survive the reader's normalisation.
 * Throws RangeError on what XML cannot carry.
 */
export function escapeAttribute(value: string): string {
  return inAttribute.test(value) ? value.replace(everyInAttribute, reference) : value
}

function reference(character: string): string {
  const written = references[character]
  if (written === undefined) throw new RangeError('The text has a character that XML cannot carry')
  return written
}

/** A string as text content in canonical form (Canonical XML 1.0 §2.3). Throws RangeError on what XML cannot carry. */
export function canonicalText(text: string): string {
  return escapeText(text).replaceAll('&#13;', '&#xD;')
}

const canonicalReferences: Readonly<Record<string, string>> = {
  '&gt;': '>',
  '&#39;': "'",
  '&#9;': '&#x9;',
  '&#10;': '&#xA;',
  '&#13;': '&#xD;',
}

/** A string as an attribute value in canonical form, for double quotes. Throws RangeError on what XML cannot carry. */
export function canonicalAttribute(value: string): string {
  return escapeAttribute(value).replace(
    /&(?:gt|#39|#9|#10|#13);/g,
    (written) => canonicalReferences[written] ?? written,
  )
}
