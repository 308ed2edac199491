import assert from 'node:assert/strict'

/** Matches anything that is there. */
export const anything = Symbol('anything')

/** What was recorded of an answer's part: texts by pattern, objects by their exact keys, lists by their exact items. */
export type Pattern = unknown

/** Throws an error that says where they differ. */
export function assertMatches(actual: unknown, pattern: Pattern, where: string): void {
  const text = JSON.stringify(actual)
  if (pattern === anything) assert.notEqual(actual, undefined, `${where} is missing`)
  else if (pattern instanceof RegExp) assert.match(String(actual), pattern, where)
  else if (Array.isArray(pattern)) {
    assert.ok(Array.isArray(actual) && actual.length === pattern.length, `${where} is not so long a list: ${text}`)
    for (const [index, part] of pattern.entries()) assertMatches(actual[index], part, `${where}[${index}]`)
  } else if (typeof pattern === 'object' && pattern !== null) {
    assert.ok(typeof actual === 'object' && actual !== null, `${where} is no object: ${text}`)
    assert.deepEqual(Object.keys(actual).sort(), Object.keys(pattern).sort(), where)
    for (const [key, part] of Object.entries(pattern)) assertMatches(Reflect.get(actual, key), part, `${where}.${key}`)
  } else assert.deepEqual(actual, pattern, where)
}
