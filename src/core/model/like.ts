/**
 * The LIKE of `$…AuthorPerson`: `%` stands for any run of characters, `_` for exactly one, everything else for itself;
 * there is no escape (ITI TF-2: 3.18.4.1.2.3.5). Case counts. Never slower than pattern × value, whatever the pattern.
 */
export function like(pattern: string, value: string): boolean {
  const wanted = Array.from(pattern)
  const given = Array.from(value)
  let at = 0
  let read = 0
  // Where the latest `%` stands and how much of the value it has swallowed; earlier ones never need another look.
  let run = -1
  let swallowed = 0
  while (read < given.length) {
    if (wanted[at] === '%') {
      run = at++
      swallowed = read
    } else if (at < wanted.length && (wanted[at] === '_' || wanted[at] === given[read])) {
      at++
      read++
    } else if (run >= 0) {
      at = run + 1
      read = ++swallowed
    } else return false
  }
  while (wanted[at] === '%') at++
  return at === wanted.length
}
