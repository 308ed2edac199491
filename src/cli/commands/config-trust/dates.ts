const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const two = (number: number) => String(number).padStart(2, '0')

/** `Nov 21, 2026 at 1:18am (UTC)`: how LXD's client writes the dates of certificates. */
export function goDate(date: Date): string {
  const hours = date.getUTCHours()
  const time = `${hours % 12 || 12}:${two(date.getUTCMinutes())}${hours < 12 ? 'am' : 'pm'}`
  return `${months[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()} at ${time} (UTC)`
}

/** `2026/11/21 01:18 UTC`: how it writes those of tokens; a text that is no date stays as it is. */
export function tokenDate(text: string): string {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) return text
  const day = `${date.getUTCFullYear()}/${two(date.getUTCMonth() + 1)}/${two(date.getUTCDate())}`
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())} UTC`
}
