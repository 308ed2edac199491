import { apiVersions } from '../../wire/api/18-api-versions.ts'
import type { Api, ResponseInput } from '../../wire/schema.ts'
import type { Rule } from './rule.ts'
import { describeAclsRule, describeClusterRule, describeConfigsRule } from './rules/describe.ts'
import { fetchRule } from './rules/fetch.ts'
import { consumerGroupDescribeRule, describeGroupsRule, findCoordinatorRule, listGroupsRule } from './rules/groups.ts'
import { metadataRule } from './rules/metadata.ts'
import { offsetFetchRule } from './rules/offset-fetch.ts'
import { describeProducersRule, listOffsetsRule, offsetForLeaderEpochRule } from './rules/offsets.ts'

/** All that passes the tunnel (DESIGN §4a). ApiVersions is answered by the gateway; anything else ends the tunnel. */
export const tunnelPolicy: readonly Rule[] = [
  metadataRule,
  fetchRule,
  listOffsetsRule,
  offsetForLeaderEpochRule,
  findCoordinatorRule,
  offsetFetchRule,
  listGroupsRule,
  describeGroupsRule,
  consumerGroupDescribeRule,
  describeConfigsRule,
  describeAclsRule,
  describeProducersRule,
  describeClusterRule,
]

const rulesByKey = new Map(tunnelPolicy.map((rule) => [rule.api.key, rule]))

/** What the broker at the far end speaks. */
export type RangeOf = (api: Api) => readonly [min: number, max: number] | undefined

/** The rule for an API key; undefined when it does not pass. */
export function findRule(apiKey: number): Rule | undefined {
  return rulesByKey.get(apiKey)
}

/** The versions that policy, codec and broker have in common; undefined when there are none. */
export function versionsOf(rule: Rule, rangeOf: RangeOf): readonly [min: number, max: number] | undefined {
  const spoken = rangeOf(rule.api)
  if (!spoken) return undefined
  const min = Math.max(rule.versions[0], rule.api.versions[0], spoken[0])
  const max = Math.min(rule.versions[1], rule.api.versions[1], spoken[1])
  return min <= max ? [min, max] : undefined
}

/** What this tunnel speaks: the broker's features stay its own business. */
export function versionsAnswer(rangeOf: RangeOf): ResponseInput<typeof apiVersions> {
  const keys = tunnelPolicy.flatMap((rule) => {
    const range = versionsOf(rule, rangeOf)
    return range ? [{ apiKey: rule.api.key, minVersion: range[0], maxVersion: range[1] }] : []
  })
  const [minVersion, maxVersion] = apiVersions.versions
  const apiKeys = [...keys, { apiKey: apiVersions.key, minVersion, maxVersion }]
  return { apiKeys: apiKeys.sort((left, right) => left.apiKey - right.apiKey) }
}
