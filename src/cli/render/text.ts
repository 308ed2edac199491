/** Names come from other clusters too: what could move the cursor or hide text is shown as an escape. */
export function escapeControls(text: string, keep = ''): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return keep.includes(character) ? character : escaped(character)
  })
}

/** RFC 3339 to the second, which is enough for people. */
export function shortTime(time: string): string {
  return time.replace(/\.\d+(?=Z|[+-]\d)/, '')
}

function escaped(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\t') return '\\t'
  return `\\u{${character.codePointAt(0)?.toString(16)}}`
}

/** Columns of a terminal that the text takes: two for East Asian wide characters and emoji, none for marks. */
export function displayWidth(text: string): number {
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

const wide =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\uFF01-\uFF60\p{Emoji_Presentation}]/u

function characterWidth(character: string): number {
  if (character < '\u0300') return 1
  if (/\p{M}/u.test(character)) return 0
  return wide.test(character) ? 2 : 1
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)))
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text))) + text
}

/** As LXD's and Confluent's tables do it: the odd blank goes to the right. */
export function padBoth(text: string, width: number): string {
  const missing = Math.max(0, width - displayWidth(text))
  const left = Math.floor(missing / 2)
  return ' '.repeat(left) + text + ' '.repeat(missing - left)
}
