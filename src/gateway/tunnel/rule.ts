import { isDeepStrictEqual } from 'node:util'
import type { Api, RequestInput, RequestOf, ResponseInput, ResponseOf } from '../../wire/schema.ts'
import type { TunnelLimits } from './limits.ts'
import type { TunnelRights } from './rights.ts'

export interface RuleContext {
  /** Of the request and its answer. */
  version: number
  /** As they are when the request comes. */
  rights: TunnelRights
  /** The name that a topic id stands for; undefined for an id that the source never told us. */
  topicName(topicId: string): string | undefined
}

/** What becomes of one request. */
export interface Admission<A extends Api> {
  /** What the source is asked; undefined when nothing is left to ask, and the answer is ours alone. */
  forward: RequestInput<A> | undefined
  /** The answer for the link: what it may see by the rights of *now*, and for the rest what a missing thing gives. */
  answer(source: ResponseOf<A> | undefined, rights: TunnelRights): ResponseInput<A>
}

/** One API that passes the tunnel. What no rule names does not pass. */
export interface Rule<A extends Api = Api> {
  readonly api: A
  /** What we let through of the versions that the source speaks, both inclusive. */
  readonly versions: readonly [min: number, max: number]
  /** Fields that no honest link sends with another value: doing so ends the tunnel. */
  readonly demanded?: { readonly [K in keyof RequestOf<A>]?: readonly RequestOf<A>[K][] }
  /** Fields that reach the source with these values, whatever was asked. */
  readonly forced?: RequestInput<A>
  /** Numbers that reach the source no larger than this. */
  readonly clamped?: (limits: TunnelLimits) => { readonly [K in keyof RequestOf<A>]?: number }
  readonly admit: (request: RequestOf<A>, context: RuleContext) => Admission<A>
}

/** For the table, which holds rules of many APIs: a rule only ever meets its own requests. */
export function defineRule<A extends Api>(rule: Rule<A>): Rule {
  return rule as unknown as Rule
}

/** A request that has no honest reason: the tunnel is closed, and it is written down. */
export class Violation extends Error {}

export function checkDemanded(rule: Rule, request: Record<string, unknown>): void {
  for (const [field, values] of Object.entries(rule.demanded ?? {})) {
    const given = request[field]
    if (values && !(values as unknown[]).some((value) => isDeepStrictEqual(value, given))) {
      throw new Violation(`${rule.api.name} with ${field} ${JSON.stringify(given)}`)
    }
  }
}

/** The request as it may reach the source, names aside. */
export function confine(rule: Rule, request: Record<string, unknown>, limits: TunnelLimits): Record<string, unknown> {
  const confined = { ...request, ...(rule.forced as object | undefined) }
  for (const [field, most] of Object.entries(rule.clamped?.(limits) ?? {})) {
    if (most !== undefined) confined[field] = Math.min(confined[field] as number, most)
  }
  return confined
}

/** Splits a list by what may be seen, in its order. */
export function split<T>(items: readonly T[], may: (item: T) => boolean): { seen: T[]; hidden: T[] } {
  const seen: T[] = []
  const hidden: T[] = []
  for (const item of items) (may(item) ? seen : hidden).push(item)
  return { seen, hidden }
}

/**
 * Splits the entries of an answer: what was asked and may still be seen, and what was asked and may not any more. What
 * nobody asked for is in neither.
 */
export function sift<T>(
  entries: readonly T[] | undefined,
  keyOf: (entry: T) => string,
  asked: readonly string[],
  may: (key: string) => boolean,
): { seen: T[]; hidden: T[] } {
  const keys = new Set(asked)
  const relevant = (entries ?? []).filter((entry) => keys.has(keyOf(entry)))
  return split(relevant, (entry) => may(keyOf(entry)))
}

/** What stands in an answer where a host would: a link dials node ids through the tunnel, never hosts. */
export const blankEndpoint = { host: '', port: 0 } as const
