/** RFC 3986: unreserved, sub-delims and percent-encoding. */
const plain = "[A-Za-z0-9\\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2}"
const authority = `//(?:(?:${plain}|:)*@)?(?:\\[[0-9A-Fa-f:.]+\\]|(?:${plain})*)(?::[0-9]+)?(?=[/?#]|$)`
const path = `(?:${plain}|[:@/])*`
const query = `(?:\\?(?:${plain}|[:@/?])*)?`
/** Square brackets are let pass in a fragment, as others do. */
const fragment = `(?:#(?:${plain}|[:@/?[\\]])*)?`

const absolute = new RegExp(`^[A-Za-z][A-Za-z0-9+.-]*:(?:${authority}|(?!//))${path}${query}${fragment}$`)

/** Whether a text is a URI with a scheme. */
export function isAbsoluteUri(text: string): boolean {
  return absolute.test(text)
}
