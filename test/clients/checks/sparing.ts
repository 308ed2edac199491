import type { ClientName, Step } from '../steps.ts'

/** Each step of Java's tools takes a Java of its own, most of a second: what shows least is left to the others. */
export function unlessJava(client: ClientName, ...steps: Step[]): Step[] {
  return client === 'java' ? [] : steps
}
